using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Formats;
using Quilt.Formats.Chat;
using Quilt.Formats.Chat.Replies;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;

namespace Quilt.Tests.Runtime;

/// <summary>Replies that must have a form, from the demo model, which would mostly say something else.</summary>
public sealed class EngineGrammarTests
{
    private const string Person = """
        {"type":"object","properties":{"name":{"type":"string","maxLength":12},"age":{"type":"integer","minimum":0,"maximum":150}},
         "required":["name","age"]}
        """;

    private static readonly SamplingOptions Wild = new() { Temperature = 1.5, MaxTokens = 200 };
    private Engine engine = null!;

    [OneTimeSetUp]
    public async Task Open() => engine = await Engine.OpenAsync(TinyModels.TinyMiniMax.Demo, new EngineOptions { Threads = 1 });

    [OneTimeTearDown]
    public void Close() => engine.Dispose();

    [Test]
    public async Task A_continuation_has_the_form_that_was_asked_for()
    {
        for (var seed = 0; seed < 10; seed++)
        {
            var options = Wild with { Seed = seed };
            Assert.That(await Text(StructuredOutput.Regex("[0-9]{4}-[0-9]{2}"), options), Does.Match("^[0-9]{4}-[0-9]{2}$"));
            Assert.That(await Text(StructuredOutput.Choice(["yes", "no", "perhaps"]), options), Is.AnyOf("yes", "no", "perhaps"));
            Assert.That(await Text(StructuredOutput.Ebnf("root ::= \"(\" root \")\" | \"x\""), options), Does.Match(@"^\(*x\)*$"));
            var person = JsonNode.Parse(await Text(StructuredOutput.JsonSchema(Person), options))!;
            Assert.That(person["name"]!.GetValue<string>(), Has.Length.LessThanOrEqualTo(12));
            Assert.That(person["age"]!.GetValue<int>(), Is.InRange(0, 150));
        }
    }

    [Test]
    public async Task A_reply_is_held_to_its_form_behind_its_thinking_which_is_free()
    {
        var ended = 0;
        for (var seed = 0; seed < 5; seed++)
        {
            var conversation = new Conversation().Add("user", "What is the capital of France?");
            var request = new GenerationRequest
            {
                Conversation = conversation, Output = StructuredOutput.JsonSchema(Person), Sampling = Wild with { Temperature = 0.8, Seed = seed },
            };
            var (thought, said) = ("", "");
            var generation = engine.Submit(request)[0];
            await foreach (var part in generation.Replies())
            {
                if (part is ThinkingText thinking) thought += thinking.Text;
                if (part is ReplyText text) said += text.Text;
            }
            if (generation.FinishReason == FinishReason.Length) continue;
            ended++;
            Assert.That(thought, Is.Not.Empty, "the demo model thinks");
            Assert.That(JsonNode.Parse(said)!["name"], Is.Not.Null);
            Assert.That(generation.Stats.ThinkingTokens, Is.GreaterThan(0).And.LessThan(generation.Stats.GeneratedTokens));
        }
        Assert.That(ended, Is.GreaterThan(2));
    }

    [Test]
    public async Task A_tool_that_must_be_called_is_called_in_the_model_s_own_form([Values] bool named)
    {
        using var tools = JsonDocument.Parse("""
            [{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{
               "city":{"type":"string","maxLength":20},"days":{"type":"integer","minimum":1,"maximum":7}},"required":["city","days"]}}},
             {"type":"function","function":{"name":"stop","parameters":{"type":"object","properties":{}}}}]
            """);
        var ended = 0;
        for (var seed = 0; seed < 5; seed++)
        {
            var conversation = new Conversation { Tools = tools.RootElement }.Add("user", "Tell me a story.");
            var generation = engine.Submit(new GenerationRequest
            {
                Conversation = conversation, ToolChoice = named ? ToolChoice.Named("get_weather") : ToolChoice.Required, ParallelToolCalls = false,
                Sampling = Wild with { Temperature = 0.7, Seed = seed },
            })[0];
            var calls = new List<ToolCallEnded>();
            var said = "";
            await foreach (var part in generation.Replies())
            {
                if (part is ToolCallEnded call) calls.Add(call);
                if (part is ReplyText text) said += text.Text;
            }
            if (generation.FinishReason == FinishReason.Length) continue;
            ended++;
            Assert.That(said.Trim(), Is.Empty);
            Assert.That(calls, Has.Count.EqualTo(1));
            Assert.That(calls[0].IsComplete, Is.True);
            if (named) Assert.That(calls[0].Name, Is.EqualTo("get_weather"));
            if (calls[0].Name != "get_weather") continue;
            var arguments = JsonNode.Parse(calls[0].Arguments)!;
            Assert.That(arguments["days"]!.GetValue<int>(), Is.InRange(1, 7));
            Assert.That(arguments["city"]!.GetValue<string>(), Has.Length.LessThanOrEqualTo(20));
        }
        Assert.That(ended, Is.GreaterThan(0));
    }

    [Test]
    public async Task A_strict_tool_is_held_to_its_schema_and_one_beside_it_is_not()
    {
        using var tools = JsonDocument.Parse("""
            [{"type":"function","function":{"name":"get_weather","strict":true,"parameters":{"type":"object","properties":{
               "city":{"enum":["Q1","Q2"]}},"required":["city"]}}},
             {"type":"function","function":{"name":"free","parameters":{"type":"object","properties":{"x":{"type":"array","uniqueItems":true}}}}}]
            """);
        var calls = 0;
        for (var seed = 0; seed < 6; seed++)
        {
            var conversation = new Conversation { Tools = tools.RootElement }.Add("user", "What is the weather in Seoul? Use celsius.");
            var generation = engine.Submit(new GenerationRequest
            { Conversation = conversation, Sampling = Wild with { Temperature = 0.5, Seed = seed } })[0];
            await foreach (var part in generation.Replies())
            {
                if (part is not ToolCallEnded { IsComplete: true, Name: "get_weather" } call) continue;
                calls++;
                Assert.That(JsonNode.Parse(call.Arguments)!["city"]!.GetValue<string>(), Is.AnyOf("Q1", "Q2"));
            }
        }
        Assert.That(calls, Is.GreaterThan(0), "the demo model calls this tool");
    }

    [TestCase("schema", """{"type": "nonsense"}""")]
    [TestCase("schema", "{")]
    [TestCase("regex", "(")]
    [TestCase("ebnf", "root ::= root")]
    [TestCase("tag", "[]")]
    public void What_is_no_form_is_refused_at_the_door_and_nobody_else_notices(string kind, string text)
    {
        var output = kind switch
        {
            "schema" => StructuredOutput.JsonSchema(text),
            "regex" => StructuredOutput.Regex(text),
            "ebnf" => StructuredOutput.Ebnf(text),
            _ => StructuredOutput.StructuralTag(text),
        };
        Assert.That(() => engine.Submit(new GenerationRequest { Text = "x", Output = output }), Throws.InstanceOf<BadInputException>());
        Assert.That((engine.Failure, engine.Snapshot().Running), Is.EqualTo(((Exception?)null, 0)));
    }

    [Test]
    public async Task Where_an_end_is_no_end_a_complete_form_ends_the_reply()
    {
        var choice = StructuredOutput.Choice(["yes", "no"]);
        Assert.That(await Text(choice, Wild with { IgnoreEos = true }), Is.AnyOf("yes", "no"));
        Assert.That(await Text(choice, Wild with { MinTokens = 50 }), Is.AnyOf("yes", "no"));
        Assert.That(await Text(choice, Wild with { IgnoreEos = true, MaxTokens = 100, Temperature = 0 }), Is.AnyOf("yes", "no"));
    }

    [Test]
    public async Task Each_choice_has_its_own_place_in_the_form()
    {
        var replies = engine.Submit(new GenerationRequest
        {
            Text = "Once", Choices = 8, Output = StructuredOutput.JsonSchema(Person), Sampling = Wild with { Seed = 1 },
        });
        foreach (var reply in replies)
        {
            var text = await reply.ReadToEndAsync();
            if (reply.FinishReason == FinishReason.Stop) Assert.That(JsonNode.Parse(text)!["age"], Is.Not.Null, text);
        }
        Assert.That(replies.Count(reply => reply.FinishReason == FinishReason.Stop), Is.GreaterThan(0));
    }

    private Task<string> Text(StructuredOutput output, SamplingOptions options) =>
        engine.Submit(new GenerationRequest { Text = "Once upon a time", Output = output, Sampling = options })[0].ReadToEndAsync();
}
