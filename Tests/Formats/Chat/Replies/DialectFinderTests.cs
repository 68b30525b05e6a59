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
            ("<|START_ACTION|>", ["cohere"]), ("<|tool_call_start|>", ["lfm2"]), ("[BEGIN FINAL RESPONSE]", ["apriel"]), ("<|tool_call|>", ["granite"]),
            ("<|role_sep|>", ["text"]), ("<|tool_call:begin|>", ["text"]),
        ];
        var dialect = ReplyParser.FindDialect(text);
        var known = 0;
        foreach (var (marker, dialects) in families.Where(family => text.Contains(family.Marker, StringComparison.Ordinal)))
        {
            Assert.That(dialects, Does.Contain(dialect), marker);
            known++;
        }
        if (known == 0) Assert.That(dialect, Is.EqualTo("text"));
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
        var (laidOut, replies, readBack) = (0, 0, 0);
        foreach (var c in root.GetProperty("cases").EnumerateArray().Where(c => c.TryGetProperty("expected", out _)))
        {
            var messages = c.GetProperty("messages").EnumerateArray().ToArray();
            for (var i = 0; i < messages.Length; i++)
            {
                if (!messages[i].TryGetProperty("tool_calls", out var calls)) continue;
                laidOut++;
                if (Reply(template, root, c, messages, i) is not (var prompt, var reply)) continue;
                // A template may leave out arguments that come as a string: then their names are nowhere quoted or tagged.
                if (!ArgumentNames(calls).All(argument => Regex.IsMatch(reply, Regex.Escape(argument) + """[\\"<>]"""))) continue;
                var expected = calls.EnumerateArray().Select(call => Written(call.GetProperty("function"))).ToArray();
                replies++;
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
        if (!knowsCalls && replies == 0) Assert.Ignore("The template lays out no calls, so that there is nothing to read back.");
        else if (!knowsCalls) Assert.That(readBack, Is.Zero, "a dialect reads what this template writes, but was not found");
        else if (laidOut == 0) Assert.Ignore("The reference itself refuses every conversation with calls, so that there is nothing to read back.");
        else Assert.That(replies, Is.Positive, "no reply was found in what the template lays out");
    }

    [TestCase("{{ messages[0].content }}", "text")]
    [TestCase("<think>{{ messages[0].content }}</think>", "think")]
    [TestCase("<tool_calls>[…]</tool_calls> instead of <tool_call>", "text")]
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
    [TestCase("<think></think>", false)]
    [TestCase("", false)]
    public void A_prompt_that_ends_in_a_thinking_marker_starts_thinking(string prompt, bool thinks) =>
        Assert.That(ReplyParser.EndsInThinking(prompt), Is.EqualTo(thinks));

    // What the template puts behind the prompt for message i. The prompt may open thinking where history does not; null where a conversation cannot
    // end there.
    private static (string Prompt, string Reply)? Reply(ChatTemplate template, JsonElement root, JsonElement c, JsonElement[] messages, int i)
    {
        string prompt, full;
        try
        {
            prompt = Render(messages[..i], generates: true);
            full = Render(messages[..(i + 1)], generates: false);
        }
        catch (JinjaException)
        {
            return null;
        }
        foreach (var opening in new[] { prompt.Length, prompt.LastIndexOf("<think>", StringComparison.Ordinal) })
        {
            if (opening >= 0 && full.StartsWith(prompt[..opening], StringComparison.Ordinal)) return (prompt[..opening], full[opening..]);
        }
        return null;

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

    private static string Written(JsonElement function) =>
        $"{function.GetProperty("name").GetString()} {ReplyCaseTests.Canonical(Arguments(function))}";

    private static string Arguments(JsonElement function)
    {
        var arguments = function.GetProperty("arguments");
        return arguments.ValueKind == JsonValueKind.String ? arguments.GetString()! : arguments.GetRawText();
    }

    private static IEnumerable<string> ArgumentNames(JsonElement calls) =>
        calls.EnumerateArray()
            .SelectMany(call => JsonNode.Parse(Arguments(call.GetProperty("function")))!.AsObject().Select(argument => argument.Key));

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
