using Quilt.Formats.Chat;
using Quilt.Formats.Chat.Replies;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;

namespace Quilt.Tests.Hosting;

/// <summary>Scripted replies are worth as much as real ones only if they come the same way.</summary>
public sealed class ScriptedReplyTests
{
    private const string Tools = """[{"type":"function","function":{"name":"get_time","parameters":{"type":"object","properties":{"zone":{}}}}}]""";

    private const string Calling =
        "I look.</think>Now:<minimax:tool_call>\n<invoke name=\"get_time\">\n<parameter name=\"zone\">UTC</parameter></invoke>\n</minimax:tool_call>";

    [TestCase(1)]
    [TestCase(7)]
    [TestCase(1000)]
    public async Task Comes_as_thinking_text_and_calls_whatever_the_chunks(int chunk)
    {
        var generation = await Ask(new Script(new ScriptedReply(Calling) { ChunkSize = chunk, CachedTokens = 3 }));
        var parts = new List<ReplyEvent>();
        await foreach (var part in generation.Replies()) parts.Add(part);
        Assert.That(string.Concat(parts.OfType<ThinkingText>().Select(part => part.Text)), Is.EqualTo("I look."));
        Assert.That(string.Concat(parts.OfType<ReplyText>().Select(part => part.Text)), Is.EqualTo("Now:"));
        Assert.That(parts.OfType<ToolCallEnded>().Single(), Is.EqualTo(new ToolCallEnded(0, "get_time", """{"zone": "UTC"}""", true)));
        Assert.That(generation.FinishReason, Is.EqualTo(FinishReason.Stop));
        Assert.That(generation.Stats.ThinkingTokens, Is.InRange(1, generation.Stats.GeneratedTokens - 1));
        Assert.That(generation.Stats.CachedTokens, Is.EqualTo(3));
    }

    [Test]
    public async Task Fails_where_it_is_told_to()
    {
        var generation = await Ask(new Script(new ScriptedReply(Calling) { FailAfter = 2 }));
        Assert.That(async () => await generation.ReadToEndAsync(), Throws.InstanceOf<RequestFailedException>());
        Assert.That(generation.Stats.GeneratedTokens, Is.EqualTo(2));
    }

    [Test]
    public async Task Ends_at_its_length_and_at_a_stop_text()
    {
        var script = new Script(Calling);
        var cut = await Ask(script, new SamplingOptions { MaxTokens = 2 });
        await cut.ReadToEndAsync();
        Assert.That((cut.FinishReason, cut.Stats.GeneratedTokens), Is.EqualTo((FinishReason.Length, 2)));
        var stopped = await Ask(script, new SamplingOptions { Stop = ["ow"] });
        Assert.That(await stopped.ReadToEndAsync(), Is.EqualTo("N"));
        Assert.That(stopped.End!.StopText, Is.EqualTo("ow"));
    }

    [Test]
    public async Task Ends_when_its_reader_leaves()
    {
        var generation = await Ask(new Script(new ScriptedReply(Calling) { Delay = TimeSpan.FromMilliseconds(1) }));
        await foreach (var _ in generation.Replies()) break;
        Assert.That(() => generation.FinishReason, Is.EqualTo(FinishReason.Cancelled).After(2000, 5));
    }

    [Test]
    public async Task Answers_choices_in_turn_and_keeps_what_was_asked()
    {
        var script = new Script("a</think>one", "b</think>two");
        var engine = await DemoHost.EngineAsync();
        var generations = script.Submit(engine, new GenerationRequest { Conversation = Conversation(), Choices = 3 }, default);
        string[] texts = [.. await Task.WhenAll(generations.Select(generation => generation.ReadToEndAsync()))];
        Assert.That(texts, Is.EqualTo(["one", "two", "two"]));
        Assert.That(script.Prompts.Single(), Does.EndWith("]~b]ai\n<think>\n"));
        Assert.That(generations[0].PromptIds, Is.EqualTo(engine.Tokenizer!.Encode(script.Prompts[0]!)));
    }

    private static async Task<Generation> Ask(Script script, SamplingOptions? sampling = null) =>
        script.Submit(await DemoHost.EngineAsync(), new GenerationRequest { Conversation = Conversation(), Sampling = sampling }, default)[0];

    private static Conversation Conversation()
    {
        using var tools = System.Text.Json.JsonDocument.Parse(Tools);
        return new Conversation { Tools = tools.RootElement.Clone() }.Add("user", "What time is it?");
    }
}
