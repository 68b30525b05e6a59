using System.Text;
using System.Text.Json;
using Quilt.Formats;
using Quilt.Formats.Chat;
using Quilt.Formats.Chat.Replies;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.PublicApi;

/// <summary>What a program that links the library does, with public members only.</summary>
public sealed class GuestTests
{
    private static readonly string Demo = Path.Combine(AppContext.BaseDirectory, "Demo");

    [Test]
    public async Task Opens_a_folder_and_continues_a_text()
    {
        using var folder = new TinyFolder(tokenizer: true);
        var heard = new List<LoadProgress>();
        await using var engine = await Engine.OpenAsync(folder.Path, new EngineOptions { Threads = 1 }, new Listener(heard));
        Assert.That(heard, Is.Not.Empty);
        Assert.That(heard[^1].BytesDone, Is.EqualTo(heard[^1].BytesTotal));
        Assert.That(engine.Warnings, Is.Empty);
        Assert.That(engine.MaxTokens, Is.EqualTo(engine.Config.MaxPositions));
        Assert.That(engine.DefaultSampling.TopK, Is.EqualTo(40));

        var generation = engine.Generate("Once upon a time",
            new SamplingOptions { Temperature = 0, MaxTokens = 20, IgnoreEos = true, LogProbabilities = true });
        var (ids, text) = (new List<int>(), new StringBuilder());
        await foreach (var piece in generation)
        {
            text.Append(piece.Text);
            if (piece.Id < 0) continue;
            ids.Add(piece.Id);
            Assert.That(piece.LogProbability, Is.LessThanOrEqualTo(0));
        }
        Assert.That(generation.FinishReason, Is.EqualTo(FinishReason.Length));
        Assert.That(generation.PromptIds, Is.EqualTo(engine.Tokenizer!.Encode("Once upon a time", addSpecialTokens: true)));
        Assert.That((generation.Stats.PromptTokens, generation.Stats.GeneratedTokens), Is.EqualTo((generation.PromptIds.Count, 20)));
        Assert.That(ids, Has.Count.EqualTo(20));
        Assert.That(text.ToString(), Is.EqualTo(engine.Tokenizer.Decode(ids.ToArray(), skipSpecialTokens: true)));
    }

    [Test]
    public async Task Traces_the_numbers_that_choose_the_first_token()
    {
        using var folder = new TinyFolder();
        await using var engine = await Engine.OpenAsync(folder.Path);
        var trace = await engine.TraceAsync([3, 4, 5], layers: true);
        var last = trace.Logits[^trace.VocabularySize..];
        await foreach (var piece in engine.Generate([3, 4, 5], new SamplingOptions { Temperature = 0, MaxTokens = 1, IgnoreEos = true }))
            Assert.That(piece.Id, Is.EqualTo(Array.IndexOf(last, last.Max())));
        Assert.That(trace.LayerHidden, Has.Count.EqualTo(engine.Config.Layers));
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
            await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Golden", "models", "demo", "reference.json")));
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
