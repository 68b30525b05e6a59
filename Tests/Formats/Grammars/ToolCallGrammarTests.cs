using System.Text;
using System.Text.Json;
using Quilt.Formats;
using Quilt.Formats.Chat.Replies;
using Quilt.Formats.Grammars;
using Quilt.Formats.Tokenizers;

namespace Quilt.Tests.Formats.Grammars;

internal sealed class ToolCallGrammarTests
{
    private const string Tools = """
        [
          {"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{
            "city":{"type":"string"},"unit":{"type":"string","enum":["C","F"," K"]},"days":{"type":"integer","minimum":1,"maximum":9},
            "code":{"type":"string","pattern":"^[ A-Z]{2,3}$"}},"required":["city"]}}},
          {"type":"function","function":{"name":"set-all","parameters":{"type":"object","properties":{
            "on":{"type":["boolean","null"]},"level":{"type":"number","minimum":0,"maximum":1},"any":{},
            "tags":{"type":"array","items":{"type":"string"},"maxItems":3},
            "either":{"anyOf":[{"type":"string"},{"type":"integer","minimum":5},{"type":"null"}]},
            "mixed":{"anyOf":[{"type":"string","maxLength":4},{"type":"array","items":{"type":"number"}}]},
            "deep":{"type":"object","properties":{"k":{"enum":["<x>","y"]},"n":{"$ref":"#/$defs/n"}},"required":["k"],"additionalProperties":false}},
            "$defs":{"n":{"type":"number"}},"required":["on","tags"],"additionalProperties":{"type":"string"}}}},
          {"type":"function","function":{"name":"now"}}
        ]
        """;

    private static readonly JsonElement tools = JsonElement.Parse(Tools);

    private static readonly string[] withoutCalls = ["text", "think"];

    // What ends values and calls.
    private static readonly string[] ends =
    [
        "</parameter>\n", "\n</parameter>\n", "</arg_value>\n", "</arg_value>", "</invoke>\n", "</function>\n</tool_call>",
        "</function>\n</seed:tool_call>",
        "</tool_call>", "</minimax:tool_call>", "\"", "\"}",
    ];

    private static IEnumerable<string> Dialects => ReplyParser.Dialects.Except(withoutCalls);

    [TestCaseSource(nameof(Dialects))]
    public void Replies_are_read_as_calls_with_arguments_that_meet_their_schemas(string dialect)
    {
        var grammar = Grammar.ToolCalls(dialect, tools, new ToolCallOptions { IsRequired = true });
        var (sampled, many) = (0, 0);
        for (var seed = 0; seed < 150; seed++)
        {
            if (TextSampler.Sample(grammar, new Random(seed), ends) is not { } reply) continue;
            var events = Parse(dialect, reply);
            sampled++;
            var calls = Calls(events, reply);
            Assert.That(calls, Is.Not.Empty, reply);
            many += calls.Count > 1 ? 1 : 0;
            Assert.That(string.Concat(events.OfType<ReplyText>().Select(text => text.Text)).Trim(), Is.Empty, reply);
        }
        Assert.That(sampled, Is.GreaterThan(75));
        if (dialect != "harmony") Assert.That(many, Is.GreaterThan(0));
    }

    [TestCaseSource(nameof(Dialects))]
    public void One_call_only_where_several_are_not_wanted(string dialect)
    {
        var grammar = Grammar.ToolCalls(dialect, tools, new ToolCallOptions { IsRequired = true, IsParallel = false, Tool = "get_weather" });
        for (var seed = 0; seed < 40; seed++)
        {
            if (TextSampler.Sample(grammar, new Random(seed), ends) is not { } reply) continue;
            Assert.That(Calls(Parse(dialect, reply), reply), Is.EqualTo(new[] { "get_weather" }), reply);
        }
    }

    [TestCaseSource(nameof(Dialects))]
    public void Text_is_free_until_a_call_begins(string dialect)
    {
        var grammar = Grammar.ToolCalls(dialect, tools);
        var required = Grammar.ToolCalls(dialect, tools, new ToolCallOptions { IsRequired = true });
        var call = Enumerable.Range(0, 100).Select(seed => TextSampler.Sample(required, new Random(seed), ends)).First(text => text is not null)!;
        Assert.Multiple(() =>
        {
            if (dialect != "harmony") Assert.That(Takes(grammar, "Some text, a < b, {} and no call."), Is.True);
            Assert.That(Takes(grammar, call.TrimStart('\n')), Is.True);
            for (var seed = 0; seed < 60; seed++)
            {
                if (TextSampler.Sample(grammar, new Random(seed), ends) is { } reply) Calls(Parse(dialect, reply), reply);
            }
        });
    }

    [TestCase("minimax_m2",
        "<minimax:tool_call>\n<invoke name=\"get_weather\">\n<parameter name=\"city\">Oslo <b></parameter>\n</invoke>\n</minimax:tool_call>")]
    [TestCase("hermes",
        "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Oslo\"}}\n</tool_call>\n"
            + "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>")]
    [TestCase("qwen3_coder",
        "<tool_call>\n<function=get_weather>\n<parameter=city>\n Oslo\n\n</parameter>\n<parameter=days>\n3\n</parameter>\n</function>\n</tool_call>")]
    [TestCase("glm45", "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Oslo</arg_value>\n</tool_call>")]
    [TestCase("kimi_k2",
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.now:0<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>")]
    [TestCase("mistral", "[TOOL_CALLS]now[ARGS]{}[TOOL_CALLS]get_weather[ARGS]{\"city\": \"x\"}")]
    [TestCase("mistral", "[TOOL_CALLS][{\"name\": \"now\", \"arguments\": {}}]")]
    [TestCase("llama3_json", "{\"name\": \"get_weather\", \"parameters\": {\"city\": \"x\"}}")]
    [TestCase("harmony", "<|channel|>commentary to=functions.now <|constrain|>json<|message|>{}<|call|>")]
    public void Takes_calls_as_the_models_write_them(string dialect, string reply)
    {
        var grammar = Grammar.ToolCalls(dialect, tools, new ToolCallOptions { IsRequired = true });
        Assert.Multiple(() =>
        {
            Assert.That(Takes(grammar, reply), Is.True);
            Assert.That(Takes(grammar, "text" + reply), Is.False);
            var other = reply.Replace("now", "then", StringComparison.Ordinal).Replace("city", "town", StringComparison.Ordinal);
            Assert.That(Takes(grammar, other), Is.False);
            Assert.That(Calls(Parse(dialect, reply), reply), Is.Not.Empty);
        });
    }

    [TestCaseSource(nameof(withoutCalls))]
    public void Refuses_a_dialect_without_calls_by_name(string dialect) =>
        Assert.That(() => Grammar.ToolCalls(dialect, tools), Throws.TypeOf<BadInputException>().With.Message.Contains(dialect));

    [Test]
    public void Refuses_what_is_not_there_or_cannot_be_held_to_and_names_the_tool()
    {
        var strict = JsonElement.Parse("""[{"name":"f","parameters":{"properties":{"a":{"type":"array","uniqueItems":true}},"type":"object"}}]""");
        Assert.Multiple(() =>
        {
            Assert.That(() => Grammar.ToolCalls("hermes", tools, new ToolCallOptions { Tool = "other" }), Throws.TypeOf<BadInputException>());
            Assert.That(() => Grammar.ToolCalls("hermes", strict), Throws.TypeOf<BadInputException>().With.Message.Contains("tool f"));
            Assert.That(() => Grammar.ToolCalls("no such", tools), Throws.TypeOf<BadInputException>());
        });
    }

    [Test]
    public void Markers_that_are_special_tokens_are_written_as_these()
    {
        var tokenizer = Tokenizer.Read(Encoding.UTF8.GetBytes("""
            {"version":"1.0","added_tokens":[
              {"id":3,"content":"<tool_call>","special":true,"single_word":false,"lstrip":false,"rstrip":false,"normalized":false}],
             "decoder":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":false,"use_regex":false},
             "model":{"type":"BPE","vocab":{"<":0,"t":1,"Ċ":2},"merges":[]}}
            """), "small");
        var vocabulary = new GrammarVocabulary(tokenizer, []);
        var options = new ToolCallOptions { IsRequired = true };
        var special = new CompiledGrammar(Grammar.ToolCalls("hermes", tools, options with { Tokenizer = tokenizer }), vocabulary).Match();
        var text = new CompiledGrammar(Grammar.ToolCalls("hermes", tools, options), vocabulary).Match();
        Assert.Multiple(() =>
        {
            Assert.That(special.Allows(3), Is.True);
            Assert.That(special.Allows(0), Is.False);
            Assert.That(text.Allows(3), Is.False);
            Assert.That(text.Allows(0), Is.True);
        });
        Assert.That(special.Accept(3) && special.Accept(2), Is.True);
    }

    private static List<ReplyEvent> Parse(string dialect, string reply)
    {
        var parser = ReplyParser.Create(dialect, new ReplyOptions { Tools = tools });
        var events = new List<ReplyEvent>();
        parser.Push(reply, events);
        parser.Finish(events);
        return events;
    }

    // Every call is whole and meets its tool's schema; their names.
    private static List<string> Calls(List<ReplyEvent> events, string reply)
    {
        Assert.That(events.OfType<ToolCallDropped>(), Is.Empty, reply);
        var calls = events.OfType<ToolCallEnded>().ToList();
        foreach (var call in calls)
        {
            Assert.That(call.IsComplete, Is.True, reply);
            var function = tools.EnumerateArray().Select(tool => tool.GetProperty("function"))
                .First(one => one.GetProperty("name").GetString() == call.Name);
            var schema = function.TryGetProperty("parameters", out var parameters) ? parameters.GetRawText() : """{"additionalProperties":false}""";
            Assert.That(SchemaChecker.Accepts(schema, call.Arguments), Is.True, $"{call.Name}({call.Arguments}) of {reply}");
        }
        return calls.ConvertAll(call => call.Name);
    }

    private static bool Takes(Grammar grammar, string text) => ByteMatch.Run(grammar, Encoding.UTF8.GetBytes(text)).IsComplete;
}
