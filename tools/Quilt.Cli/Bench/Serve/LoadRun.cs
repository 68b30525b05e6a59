using System.Diagnostics;

namespace Quilt.Cli.Bench.Serve;

/// <summary>
/// Sends the load. In a closed loop so many conversations go on at a time, and one that ends makes room for the next. In an open loop they begin by a
/// schedule, whatever became of those before, and times count from it: a server that is late cannot slow down what is asked of it.
/// </summary>
internal sealed class LoadRun(ApiClient client, RequestForm form, PromptPlan plan, LoadOptions options)
{
    // Seconds; years, which no clock overflows of.
    private const double Longest = 1e9;
    private readonly PromptMaker prompts = new(plan, options.Seed);
    private readonly Reply?[] replies = new Reply?[options.Requests];
    private int next, done;

    /// <summary>Requests that have ended.</summary>
    public int Done => Volatile.Read(ref done);

    /// <summary>Runs to the end of the last request.</summary>
    public async Task<LoadResult> RunAsync(CancellationToken cancel)
    {
        var start = Stopwatch.GetTimestamp();
        await (options.Rate is { } rate ? OpenAsync(rate, start, cancel) : ClosedAsync(cancel)).ConfigureAwait(false);
        Reply[] ended = [.. replies.OfType<Reply>()];
        var end = ended.Max(reply => reply.EndedAt);
        return LoadResult.Of(ended, Stopwatch.GetElapsedTime(start, end).TotalSeconds, plan.PromptTokens ?? options.Prompt);
    }

    private Task ClosedAsync(CancellationToken cancel) =>
        Task.WhenAll(Enumerable.Range(0, Math.Min(options.Streams, options.Conversations)).Select(_ => StreamAsync(cancel)));

    private async Task StreamAsync(CancellationToken cancel)
    {
        while (Interlocked.Increment(ref next) - 1 is var conversation && conversation < options.Conversations)
            await ConverseAsync(conversation, null, cancel).ConfigureAwait(false);
    }

    // A conversation has several requests, so conversations begin less often than requests are to be sent.
    private async Task OpenAsync(double rate, long start, CancellationToken cancel)
    {
        var arrivals = ArrivalSchedule.Poisson(rate / options.Turns, options.Conversations, options.Seed);
        var all = new Task[arrivals.Length];
        for (var i = 0; i < arrivals.Length; i++)
        {
            var at = start + (long)(Math.Min(arrivals[i], Longest) * Stopwatch.Frequency);
            for (var wait = at - Stopwatch.GetTimestamp(); wait > 0; wait = at - Stopwatch.GetTimestamp())
            {
                var milliseconds = Math.Clamp(wait / (Stopwatch.Frequency / 1000), 1, 60_000);
                await Task.Delay((int)milliseconds, cancel).ConfigureAwait(false);
            }
            all[i] = ConverseAsync(i, at, cancel);
        }
        await Task.WhenAll(all).ConfigureAwait(false);
    }

    private async Task ConverseAsync(int index, long? arrival, CancellationToken cancel)
    {
        await Task.Yield();
        var conversation = new Conversation(options.Endpoint);
        var count = Math.Min(options.Turns, options.Requests - (index * options.Turns));
        for (var turn = 0; turn < count; turn++)
        {
            conversation.Ask(turn == 0 ? prompts.First(index) : prompts.Next(index, turn));
            var body = form.Body(conversation, options.Reply);
            var from = turn == 0 && arrival is { } at ? at : Stopwatch.GetTimestamp();
            var reply = await client.AskAsync(form.Path, body, from, keepText: turn + 1 < count, cancel).ConfigureAwait(false);
            conversation.Answer(reply.Failure is null ? reply.Text : null);
            replies[(index * options.Turns) + turn] = reply with { Text = null };
            Interlocked.Increment(ref done);
        }
    }
}
