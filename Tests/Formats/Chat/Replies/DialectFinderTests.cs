using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Quilt.Formats.Chat;
using Quilt.Formats.Chat.Jinja;
using Quilt.Formats.Chat.Replies;

namespace Quilt.Tests.Formats.Chat.Replies;

/// <summary>
/// The dialect found for a template is the one in which the template writes: what it lays out of an assistant's calls is read back. Where none is
/// found, none of the dialects reads it.
/// </summary>
[Parallelizable(ParallelScope.Self)]
public sealed class DialectFinderTests
{
    public static IEnumerable<string?> Goldens() => Shared.Files("chat_templates/golden", "*.golden.json");

    public static IEnumerable<string?> Templates() => Shared.Files("chat_templates/templates", "*.jinja");

    // A marker that only one family's templates hold, and its dialect: whatever else a template holds, it is not taken for another's.
    [Category("Conformance")]
    [TestCaseSource(nameof(Templates))]
    public void A_family_is_not_taken_for_another(string? file)
    {
        var text = File.ReadAllText(Shared.Require(file));
        (string Marker, string[] Dialects)[] families =
        [
            ("<minimax:tool_call>", ["minimax_m2"]), ("<seed:tool_call>", ["seed_oss"]), ("<|channel|>", ["harmony"]),
            ("<｜tool▁sep｜>", ["deepseek_v3", "deepseek_v31"]),
            ("<|tool_call_argument_begin|>", ["kimi_k2"]), ("[TOOL_CALLS]", ["mistral"]), ("</arg_value>", ["glm45"]),
            ("<parameter=", ["qwen3_coder", "seed_oss"]), ("{\"name\": function name, \"parameters\"", ["llama3_json"]),
            ("</tool_call>", ["hermes", "qwen3_coder", "glm45", "apriel", "text", "think"]), ("functools", ["text"]), ("<TOOLCALL>", ["think"]),
            ("<|START_ACTION|>", ["cohere"]), ("<|tool_call_start|>", ["lfm2"]), ("[BEGIN FINAL RESPONSE]", ["apriel"]),
            ("<|tool_call|>", ["granite"]),
            ("<|role_sep|>", ["text"]), ("<|tool_call:begin|>", ["text"]),
        ];
        var dialect = ReplyParser.FindDialect(text);
        var known = 0;
        foreach (var (marker, dialects) in families.Where(family => text.Contains(family.Marker, StringComparison.Ordinal)))
        {
            Assert.That(dialects, Does.Contain(dialect), marker);
            known++;
        }
        var thinks = text.Contains("<think>", StringComparison.Ordinal) || text.Contains("</think>", StringComparison.Ordinal);
        if (known == 0) Assert.That(dialect, Is.EqualTo(thinks ? "think" : "text"));
    }

    [Category("Conformance")]
    [TestCaseSource(nameof(Goldens))]
    public void Calls_that_a_template_lays_out_are_read_back(string? file)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Shared.Require(file)));
        var root = document.RootElement;
        var name = root.GetProperty("template").GetString()!;
        var text = File.ReadAllText(Shared.Path("chat_templates", "templates", name));
        var template = ChatTemplate.Parse(text, name);
        Assert.That(template.ReplyDialect, Is.EqualTo(ReplyParser.FindDialect(text)));
        var knowsCalls = template.ReplyDialect is not ("text" or "think");
        var (taken, laidOut, readBack) = (0, 0, 0);
        foreach (var c in root.GetProperty("cases").EnumerateArray().Where(c => c.TryGetProperty("expected", out _)))
        {
            var messages = c.GetProperty("messages").EnumerateArray().ToArray();
            for (var i = 0; i < messages.Length; i++)
            {
                if (!messages[i].TryGetProperty("tool_calls", out var calls)) continue;
                taken++;
                var (prompt, reply) = Reply(template, root, c, messages, i);
                if (!IsLaidOut(calls, reply)) continue;
                laidOut++;
                var expected = calls.EnumerateArray().Select(call => Written(call.GetProperty("function"))).ToArray();
                if (knowsCalls) Assert.That(Read(template.ReplyDialect), Is.EqualTo(expected), $"{c.GetProperty("name")}: {reply}");
                else foreach (var other in ReplyParser.Dialects) readBack += Read(other).SequenceEqual(expected) ? 1 : 0;

                string[] Read(string dialect)
                {
                    var parser = ReplyParser.Create(dialect,
                        new ReplyOptions { StartsThinking = ReplyParser.EndsInThinking(prompt), Tools = Schema(calls) });
                    return [.. ReplyReading.Of(parser, reply).Calls.Select(call => $"{call.Name} {ReplyCaseTests.Canonical(call.Arguments)}")];
                }
            }
        }
        if (taken == 0) Assert.Ignore("The reference itself refuses every conversation with calls, so that there is nothing to read back.");
        if (laidOut == 0) Assert.Ignore("The template lays out no calls, so that there is nothing to read back.");
        Assert.That(readBack, Is.Zero, "a dialect reads what this template writes, but was not found");
    }

    [TestCase("{{ messages[0].content }}", "text")]
    [TestCase("<think>{{ messages[0].content }}</think>", "think")]
    [TestCase("<tool_calls>[…]</tool_calls> instead of <tool_call>", "text")]
    [TestCase("<tool_calls>[…]</tool_calls> instead of <tool_call> behind [BEGIN FINAL RESPONSE]", "apriel")]
    [TestCase("<|start_of_role|>available_tools … respond only with <|tool_call|>", "granite")]
    [TestCase("<|start_of_role|>system Write your thoughts after 'Here is my thought process:'", "granite")]
    [TestCase("<|start_of_role|>system Write your thoughts between <think></think> and your response between <response></response>", "granite")]
    [TestCase("<|start_of_role|>assistant <tool_call>{\"name\": …}</tool_call>", "hermes")]
    [TestCase("<|START_THINKING|>…<|END_THINKING|><|START_ACTION|>[", "cohere")]
    [TestCase("<|tool_list_start|>[…]<|tool_list_end|>", "lfm2")]
    [TestCase("<think></think><|tool_call_start|>[", "lfm2")]
    [TestCase("<|start|>assistant<|channel|>final<|message|>", "harmony")]
    [TestCase("<tool_call>{\"name\": …}</tool_call>", "hermes")]
    [TestCase("<function=f>{}</function><|python_tag|><|start_header_id|>ipython \"parameters\"", "text")]
    public void A_dialect_is_found_by_its_markers(string template, string dialect)
    {
        Assert.That(ReplyParser.FindDialect(template), Is.EqualTo(dialect));
        Assert.That(ReplyParser.Dialects, Does.Contain(dialect));
    }

    [TestCase("a<think>\n", true)]
    [TestCase("a[THINK]", true)]
    [TestCase("<|start|>assistant<|channel|>analysis<|message|>", true)]
    [TestCase("<seed:think>", true)]
    [TestCase("<thinking>\n", true)]
    [TestCase("<|begin_assistant|>\nHere are my reasoning steps:\n", true)]
    [TestCase("<|end_of_role|>Here is my thought process:", true)]
    [TestCase("<|CHATBOT_TOKEN|><|START_THINKING|>", true)]
    [TestCase("<think></think>", false)]
    [TestCase("Here are my reasoning steps:\n\n[BEGIN FINAL RESPONSE]\n", false)]
    [TestCase("", false)]
    public void A_prompt_that_ends_in_thinkings_opening_starts_thinking(string prompt, bool thinks) =>
        Assert.That(ReplyParser.EndsInThinking(prompt), Is.EqualTo(thinks));

    // What the template puts behind the prompt for message i. A conversation that cannot end with a call goes on to where it can, and is cut where
    // the call's result stands.
    private static (string Prompt, string Reply) Reply(ChatTemplate template, JsonElement root, JsonElement c, JsonElement[] messages, int i)
    {
        var prompt = Render(messages[..i], generates: true);
        var (full, end) = ("", i + 1);
        for (; ; end++)
        {
            try
            {
                full = Render(messages[..end], generates: false);
                break;
            }
            catch (JinjaException) when (end < messages.Length)
            {
            }
        }
        // The prompt may open thinking where history does not: it is cut where they part, before the tag they part in.
        var opening = prompt.AsSpan().CommonPrefixLength(full);
        if (opening < prompt.Length && full.LastIndexOf('<', opening) is >= 0 and var tag && full.IndexOf('>', tag) >= opening) opening = tag;
        var reply = full[opening..];
        if (end > i + 1 && messages[i + 1].GetProperty("content") is { ValueKind: JsonValueKind.String } result)
            reply = reply[..reply.IndexOf(result.GetString()!, StringComparison.Ordinal)];
        return (prompt[..opening], reply);

        string Render(JsonElement[] given, bool generates)
        {
            var conversation = new JsonObject { ["messages"] = new JsonArray([.. given.Select(message => JsonNode.Parse(message.GetRawText()))]),
                ["tools"] = JsonNode.Parse(c.GetProperty("tools").GetRawText()), ["add_generation_prompt"] = generates };
            foreach (var variables in new[] { root.GetProperty("specials"), c.GetProperty("extra") })
            {
                foreach (var variable in variables.EnumerateObject()) conversation[variable.Name] = JsonNode.Parse(variable.Value.GetRawText());
            }
            return template.Render(Conversation.Read(JsonSerializer.SerializeToUtf8Bytes(conversation), "golden"));
        }
    }

    // Whether the reply holds the calls, names and all. A template may leave out arguments that come as a string: then it does not hold those.
    private static bool IsLaidOut(JsonElement calls, string reply)
    {
        foreach (var call in calls.EnumerateArray())
        {
            var function = call.GetProperty("function");
            if (!reply.Contains(function.GetProperty("name").GetString()!, StringComparison.Ordinal)) return false;
            if (function.GetProperty("arguments").ValueKind == JsonValueKind.String && !ArgumentNames(function).All(Holds)) return false;
        }
        return true;

        bool Holds(string argument) => Regex.IsMatch(reply, Regex.Escape(argument) + """[\\"<>=']""");
    }

    private static string Written(JsonElement function) =>
        $"{function.GetProperty("name").GetString()} {ReplyCaseTests.Canonical(Arguments(function))}";

    private static string Arguments(JsonElement function)
    {
        var arguments = function.GetProperty("arguments");
        return arguments.ValueKind == JsonValueKind.String ? arguments.GetString()! : arguments.GetRawText();
    }

    private static IEnumerable<string> ArgumentNames(JsonElement function) =>
        JsonNode.Parse(Arguments(function))!.AsObject().Select(argument => argument.Key);

    // The called tools, with the types that the calls' own arguments have: some dialects write values that only a schema tells from strings.
    private static JsonElement Schema(JsonElement calls)
    {
        var tools = new JsonArray();
        foreach (var call in calls.EnumerateArray())
        {
            var function = call.GetProperty("function");
            var properties = new JsonObject();
            using var arguments = JsonDocument.Parse(Arguments(function));
            foreach (var argument in arguments.RootElement.EnumerateObject())
            {
                properties[argument.Name] = new JsonObject
                {
                    ["type"] = argument.Value.ValueKind switch
                    {
                        JsonValueKind.Number => "number",
                        JsonValueKind.True or JsonValueKind.False => "boolean",
                        JsonValueKind.Object => "object",
                        JsonValueKind.Array => "array",
                        JsonValueKind.Null => "null",
                        _ => "string",
                    },
                };
            }
            tools.Add(new JsonObject
            { ["name"] = function.GetProperty("name").GetString(), ["parameters"] = new JsonObject { ["properties"] = properties } });
        }
        return JsonSerializer.SerializeToElement(tools);
    }
}
