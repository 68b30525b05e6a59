using System.Text;
using System.Text.Json;
using Quilt.Formats;
using Quilt.Formats.Chat;
using Quilt.Formats.Chat.Replies;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;

namespace Quilt.PublicApi.Tests;

/// <summary>What a program that links the library does, with public members only.</summary>
public sealed class GuestTests
{
    private static readonly string Demo = Path.Combine(AppContext.BaseDirectory, "Demo");

    [Test]
    public async Task Opens_a_folder_and_continues_a_text()
    {
        var heard = new List<LoadProgress>();
        await using var engine = await Engine.OpenAsync(Demo, new EngineOptions { Threads = 1 }, new Listener(heard));
        Assert.That(heard, Is.Not.Empty);
        Assert.That(heard[^1].BytesDone, Is.EqualTo(heard[^1].BytesTotal));
        Assert.That(engine.Warnings, Is.Empty);
        Assert.That(engine.Failure, Is.Null);
        Assert.That(engine.MaxTokens, Is.EqualTo(engine.Config.MaxPositions));
        Assert.That(engine.Memory.CacheTokens, Is.GreaterThanOrEqualTo(engine.MaxTokens));
        Assert.That(engine.Memory.Weights, Is.EqualTo(engine.WeightBytes).Within(5).Percent);

        var options = new SamplingOptions { Temperature = 0, MaxTokens = 20, IgnoreEos = true, TopLogProbabilities = 3 };
        var generation = engine.Generate("Once upon a time", options);
        var (ids, text) = (new List<int>(), new StringBuilder());
        await foreach (var piece in generation)
        {
            text.Append(piece.Text);
            ids.Add(piece.Id);
            Assert.That(piece.Top, Has.Count.EqualTo(3));
            Assert.That(piece.Top[0], Is.EqualTo(new TokenProbability(piece.Id, piece.LogProbability)), "greedy: the most likely one");
            Assert.That(piece.Top[1].LogProbability, Is.LessThanOrEqualTo(piece.LogProbability));
        }
        Assert.That(generation.FinishReason, Is.EqualTo(FinishReason.Length));
        Assert.That(generation.PromptIds, Is.EqualTo(engine.Tokenizer!.Encode("Once upon a time", addSpecialTokens: true)));
        Assert.That((generation.Stats.PromptTokens, generation.Stats.GeneratedTokens), Is.EqualTo((generation.PromptIds.Count, 20)));
        Assert.That(ids, Has.Count.EqualTo(20));
        Assert.That(text.ToString(), Is.EqualTo(engine.Tokenizer.Decode(ids.ToArray(), skipSpecialTokens: true)));
    }

    [Test]
    public async Task Hears_everything_that_happens_in_one_stream()
    {
        await using var engine = await Engine.OpenAsync(Demo);
        var conversation = new Conversation().Add("user", "What is the capital of France?");
        var (tokens, parts, ends) = (0, new List<ReplyEvent>(), new List<GenerationEnd>());
        await foreach (var happened in engine.Chat(conversation, new SamplingOptions { Temperature = 0, MaxTokens = 200 }).Events())
        {
            if (happened.Token is { } token)
            {
                tokens++;
                Assert.That(engine.Tokenizer!.Token(token.Id), Is.Not.Null);
            }
            if (happened.Part is { } part) parts.Add(part);
            if (happened.End is { } end) ends.Add(end);
        }
        Assert.That(ends, Has.Count.EqualTo(1));
        Assert.That((ends[0].Reason, ends[0].Error, ends[0].Usage.GeneratedTokens), Is.EqualTo((FinishReason.Stop, (Exception?)null, tokens)));
        Assert.That(parts.OfType<ThinkingText>(), Is.Not.Empty);
        Assert.That(string.Concat(parts.OfType<ReplyText>().Select(said => said.Text)), Does.Contain("Paris"));
    }

    [Test]
    public async Task Asks_for_a_form_and_for_several_choices_and_looks_at_the_engine()
    {
        await using var engine = await Engine.OpenAsync(Demo);
        var replies = engine.Submit(new GenerationRequest
        {
            Text = "The sky is", Choices = 2, CacheSalt = "mine", Sampling = new() { Seed = 7, MaxTokens = 30 },
            Output = StructuredOutput.Choice(["blue", "grey"]),
        });
        foreach (var reply in replies) Assert.That(await reply.ReadToEndAsync(), Is.AnyOf("blue", "grey"));
        Assert.That(replies.Select(reply => reply.Choice), Is.EqualTo(new[] { 0, 1 }));
        Assert.That(await engine.ResetPrefixCacheAsync(), Is.True);
        var seen = engine.Snapshot();
        Assert.That((seen.Running, seen.Waiting, seen.Finished, seen.BlocksUsed), Is.EqualTo((0, 0, 2L, 0)));
    }

    [Test]
    public async Task A_crowd_beyond_what_may_wait_is_refused()
    {
        await using var engine = await Engine.OpenAsync(Demo, new EngineOptions { MaxSequences = 1, MaxWaiting = 1 });
        var options = new SamplingOptions { IgnoreEos = true };
        Generation[] held = [engine.Generate("One", options), engine.Generate("Two", options)];
        Assert.That(() => engine.Generate("Three", options), Throws.TypeOf<EngineBusyException>());
        foreach (var generation in held) generation.Cancel();
    }

    [Test]
    public async Task The_demo_model_answers_a_question()
    {
        await using var engine = await Engine.OpenAsync(Demo);
        var (thinking, text) = (new StringBuilder(), new StringBuilder());
        var reply = engine.Chat(new Conversation().Add("user", "What is the capital of France?"),
            new SamplingOptions { Temperature = 0, MaxTokens = 200 });
        await foreach (var found in reply.Replies())
        {
            if (found is ThinkingText thought) thinking.Append(thought.Text);
            if (found is ReplyText said) text.Append(said.Text);
        }
        Assert.That(reply.FinishReason, Is.EqualTo(FinishReason.Stop));
        Assert.That(thinking.ToString(), Is.Not.Empty.And.Not.Contains("</think>"));
        Assert.That(text.ToString(), Does.Contain("Paris").And.Not.Contain("<"));
    }

    [Test]
    public async Task The_demo_model_calls_a_tool()
    {
        using var reference = JsonDocument.Parse(
            await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "reference.json")));
        var test = reference.RootElement.GetProperty("cases").EnumerateArray().First(c => c.GetProperty("task").GetString() == "tool");
        var json = $$"""{"messages": {{test.GetProperty("messages").GetRawText()}}, "tools": {{test.GetProperty("tools").GetRawText()}}}""";
        await using var engine = await Engine.OpenAsync(Demo);
        var calls = new List<ToolCallEnded>();
        await foreach (var found in engine.Chat(Conversation.Read(Encoding.UTF8.GetBytes(json), "conversation"),
            new SamplingOptions { Temperature = 0, MaxTokens = 200 }).Replies())
        {
            if (found is ToolCallEnded call) calls.Add(call);
        }
        Assert.That(calls, Is.Not.Empty);
        foreach (var call in calls)
        {
            Assert.That(test.GetProperty("tools").GetRawText(), Does.Contain($"\"{call.Name}\""));
            Assert.That(call.IsComplete, Is.True);
            using var arguments = JsonDocument.Parse(call.Arguments);
            Assert.That(arguments.RootElement.ValueKind, Is.EqualTo(JsonValueKind.Object));
        }
    }

    [Test]
    public async Task A_stop_text_ends_a_continuation()
    {
        await using var engine = await Engine.OpenAsync(Demo);
        var options = new SamplingOptions { Temperature = 0, MaxTokens = 60, IgnoreEos = true };
        var whole = await engine.Generate("The", options).ReadToEndAsync();
        var stop = whole[(whole.Length / 2)..((whole.Length / 2) + 3)];
        var stopped = engine.Generate("The", options with { Stop = [stop] });
        Assert.That(await stopped.ReadToEndAsync(), Is.EqualTo(whole[..whole.IndexOf(stop, StringComparison.Ordinal)]));
        Assert.That((stopped.End!.Reason, stopped.End.StopText, stopped.End.StopToken), Is.EqualTo((FinishReason.Stop, stop, (int?)null)));
    }

    [Test]
    public async Task Cancels_and_disposes_in_the_middle_of_a_reply()
    {
        var engine = await Engine.OpenAsync(Demo);
        using var source = new CancellationTokenSource();
        var options = new SamplingOptions { IgnoreEos = true };
        var cancelled = engine.Generate("Once", options, source.Token);
        var disposed = engine.Generate("Once", options);
        await foreach (var piece in cancelled)
        {
            if (!source.IsCancellationRequested) await source.CancelAsync();
        }
        Assert.That(cancelled.FinishReason, Is.EqualTo(FinishReason.Cancelled));
        await engine.DisposeAsync();
        await disposed.ReadToEndAsync();
        Assert.That(disposed.FinishReason, Is.EqualTo(FinishReason.Cancelled));
        Assert.That(() => engine.Generate("Once"), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public async Task Loading_can_be_cancelled_and_a_missing_folder_is_named()
    {
        using var source = new CancellationTokenSource();
        await source.CancelAsync();
        await Assert.ThatAsync(() => Engine.OpenAsync(Demo, cancel: source.Token), Throws.InstanceOf<OperationCanceledException>());
        await Assert.ThatAsync(() => Engine.OpenAsync("/no/such/model"), Throws.TypeOf<BadInputException>().With.Message.Contains("/no/such/model"));
    }

    private sealed class Listener(List<LoadProgress> heard) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value) => heard.Add(value);
    }
}
