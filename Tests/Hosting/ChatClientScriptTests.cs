using System.Text.Json;
using Microsoft.Extensions.AI;
using Quilt.Hosting;
using Quilt.Runtime;

namespace Quilt.Tests.Hosting;

/// <summary>The chat client with replies that the demo model would not write.</summary>
public sealed class ChatClientScriptTests
{
    private const string Call = 
        "<minimax:tool_call>\n<invoke name=\"look\">\n<parameter name=\"at\">{0}</parameter>\n</invoke>\n</minimax:tool_call>";

    [Test]
    public async Task Thinking_goes_back_into_the_prompt_word_for_word()
    {
        var script = new Script($"I look at A first.\n</think>\n\nOne moment.\n{Call.Replace("{0}", "A")}", "Now I know.\n</think>\n\nIt is 7.");
        using var chat = new ChatClientBuilder(await ClientAsync(script)).UseFunctionInvocation().Build();
        var response = await chat.GetResponseAsync("What is at A?", new ChatOptions { Tools = [Look()] });
        Assert.That(response.Text, Does.EndWith("It is 7."));
        Assert.That(script.Prompts, Has.Count.EqualTo(2));
        // What the model wrote, as it wrote it: the second prompt begins with the first, its reply, and the tool's answer.
        Assert.That(script.Prompts[1], Does.StartWith(script.Prompts[0] + "I look at A first.\n</think>\n\nOne moment."));
        Assert.That(script.Prompts[1], Does.EndWith("]~b]tool\n<response>seen A</response>[e~[\n]~b]ai\n<think>\n"));
        var history = script.Requests[1].Conversation!.Messages[1];
        Assert.That(history.GetProperty("reasoning_content").GetString(), Is.EqualTo("I look at A first."));
        Assert.That(history.GetProperty("reasoning").GetString(), Is.EqualTo("I look at A first."));
        Assert.That(history.GetProperty("tool_calls")[0].GetProperty("function").GetProperty("arguments").GetRawText(), Is.EqualTo("""{"at":"A"}"""));
    }

    [TestCase(1)]
    [TestCase(3)]
    [TestCase(100)]
    public async Task Line_breaks_around_thinking_are_nobodys(int chunk)
    {
        using var chat = await ClientAsync(new Script(new ScriptedReply("One.\n\nTwo.\n\n</think>\n\n\nYes.\n\nNo.\n") { ChunkSize = chunk }));
        var contents = (await chat.GetResponseAsync("Hello")).Messages.Single().Contents;
        Assert.That(contents.Select(content => content.ToString()), Is.EqualTo(["One.\n\nTwo.", "Yes.\n\nNo.\n"]));
    }

    [Test]
    public async Task A_reply_without_thinking_comes_as_it_is()
    {
        using var chat = await ClientAsync(new Script("</think>\n\n Yes."));
        Assert.That((await chat.GetResponseAsync("Hello")).Text, Is.EqualTo("\n\n Yes."));
    }

    [Test]
    public async Task Several_calls_come_in_order_or_the_first_alone()
    {
        var reply = $"Both.</think>{Call.Replace("{0}", "A")}{Call.Replace("{0}", "B")}";
        using var chat = await ClientAsync(new Script(reply));
        var both = await chat.GetResponseAsync("Look.", new ChatOptions { Tools = [Look()] });
        Assert.That(Calls(both).Select(call => call.Arguments!["at"]!.ToString()), Is.EqualTo(["A", "B"]));
        Assert.That(Calls(both).Select(call => call.CallId).Distinct().Count(), Is.EqualTo(2));
        Assert.That(Calls(both).Select(call => call.CallId), Has.All.Match("^call_[0-9a-f]{24}$"));
        Assert.That(both.FinishReason, Is.EqualTo(ChatFinishReason.ToolCalls));
        var first = await chat.GetResponseAsync("Look.", new ChatOptions { Tools = [Look()], AllowMultipleToolCalls = false });
        Assert.That(Calls(first).Single().Arguments!["at"]!.ToString(), Is.EqualTo("A"));
    }

    [Test]
    public async Task A_call_that_is_cut_short_is_shown_and_not_carried_out()
    {
        var carriedOut = 0;
        var tool = AIFunctionFactory.Create((string? at) => carriedOut++, "look", "Looks.");
        var script = new Script(new ScriptedReply("Hm.</think>" + Call.Replace("{0}", "A")[..70]) { Reason = FinishReason.Length });
        using var chat = new ChatClientBuilder(await ClientAsync(script)).UseFunctionInvocation().Build();
        var response = await chat.GetResponseAsync("Look.", new ChatOptions { Tools = [tool] });
        var call = Calls(response).Single();
        Assert.That(call.Exception, Is.InstanceOf<InvalidDataException>());
        Assert.That(call.InformationalOnly, Is.True);
        Assert.That(carriedOut, Is.Zero);
        Assert.That(response.FinishReason, Is.EqualTo(ChatFinishReason.Length));
    }

    [Test]
    public async Task A_call_of_a_tool_that_there_is_not_comes_back_to_the_model()
    {
        var script = new Script("Hm.</think>" + Call.Replace("look", "fly"), "Right.</think>I cannot fly.");
        using var chat = new ChatClientBuilder(await ClientAsync(script)).UseFunctionInvocation().Build();
        var response = await chat.GetResponseAsync("Fly.", new ChatOptions { Tools = [Look()] });
        Assert.That(response.Text, Does.EndWith("I cannot fly."));
        Assert.That(script.Prompts[1], Does.Contain("<response>").And.Contain("not found"));
    }

    [Test]
    public async Task Calls_are_not_passed_on_where_the_mode_is_none()
    {
        using var chat = await ClientAsync(new Script($"Hm.</think>Well.{Call}"));
        var response = await chat.GetResponseAsync("Look.", new ChatOptions { Tools = [Look()], ToolMode = ChatToolMode.None });
        Assert.That(Calls(response), Is.Empty);
        Assert.That(response.FinishReason, Is.EqualTo(ChatFinishReason.Stop));
        Assert.That(response.Text, Does.StartWith("Well."));
    }

    [Test]
    public async Task Thinking_is_left_out_where_nobody_wants_it()
    {
        using var chat = await ClientAsync(new Script("Secret.</think>Plain."));
        var response = await chat.GetResponseAsync("Hello", new ChatOptions { Reasoning = new() { Output = ReasoningOutput.None } });
        Assert.That(response.Messages.Single().Contents.Single(), Is.InstanceOf<TextContent>());
        Assert.That(response.Usage!.ReasoningTokenCount, Is.GreaterThan(0));
    }

    [TestCase(FinishReason.Stop, "stop")]
    [TestCase(FinishReason.Length, "length")]
    [TestCase(FinishReason.Repetition, "repetition")]
    [TestCase(FinishReason.Timeout, "timeout")]
    public async Task Says_why_it_ended(FinishReason reason, string told)
    {
        using var chat = await ClientAsync(new Script(new ScriptedReply("Hm.</think>Well.") { Reason = reason, CachedTokens = 5 }));
        var response = await chat.GetResponseAsync("Hello");
        Assert.That(response.FinishReason!.Value.Value, Is.EqualTo(told));
        Assert.That(response.Usage!.CachedInputTokenCount, Is.EqualTo(5));
    }

    [Test]
    public async Task Failures_are_thrown_in_the_middle()
    {
        using var own = await ClientAsync(new Script(new ScriptedReply("Hm.</think>Well then.") { FailAfter = 5 }));
        var seen = 0;
        Assert.That(async () =>
        {
            await foreach (var _ in own.GetStreamingResponseAsync("Hello")) seen++;
        }, Throws.InstanceOf<RequestFailedException>());
        Assert.That(seen, Is.GreaterThan(0));
        using var all = await ClientAsync(new Script(new ScriptedReply("Hm.") { FailAfter = 1, FailsEngine = true }));
        Assert.That(() => all.GetResponseAsync("Hello"), Throws.InstanceOf<EngineFailedException>());
        using var closed = await ClientAsync(new Script(new ScriptedReply("Hm.") { Reason = FinishReason.Cancelled }));
        Assert.That(() => closed.GetResponseAsync("Hello"), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task A_reader_that_leaves_ends_the_reply()
    {
        var script = new Script(new ScriptedReply("Hm.</think>Well.") { Delay = TimeSpan.FromMilliseconds(1) });
        using var chat = await ClientAsync(script);
        await foreach (var _ in chat.GetStreamingResponseAsync("Hello")) break;
        Assert.That(() => script.Generations.Single().FinishReason, Is.EqualTo(FinishReason.Cancelled).After(2000, 5));
    }

    internal static async Task<QuiltChatClient> ClientAsync(Script script) => new(await DemoHost.ModelsAsync(script), null);

    private static AIFunction Look() => AIFunctionFactory.Create((string at) => $"seen {at}", "look", "Looks at something.");

    private static List<FunctionCallContent> Calls(ChatResponse response) =>
        [.. response.Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>()];
}
