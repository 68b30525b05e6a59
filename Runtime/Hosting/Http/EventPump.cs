using Quilt.Runtime;

namespace Quilt.Hosting.Http;

/// <summary>
/// From generations to a stream: what is there is sent together, and what is not yet there is not waited for with something in the hand, except for a
/// moment where many streams run.
/// </summary>
internal static class EventPump
{
    /// <summary>Takes all events, until they end or <paramref name="take"/> has enough.</summary>
    /// <param name="sse">Where what was taken is written; sent whenever there is nothing more to take.</param>
    /// <param name="generations">Whose events.</param>
    /// <param name="take">Takes an event of a choice; false: no more.</param>
    /// <param name="cancel">The client is gone.</param>
    /// <returns>Whether the client is still there.</returns>
    public static async Task<bool> RunAsync(SseWriter sse, IReadOnlyList<Generation> generations, Func<int, GenerationEvent, bool> take,
        CancellationToken cancel)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await using var events = MergedEvents.Read(generations, leaving.Token).GetAsyncEnumerator(leaving.Token);
        while (true)
        {
            var next = events.MoveNextAsync();
            if (!next.IsCompleted) await sse.SaveUpAsync().ConfigureAwait(false);
            if (!next.IsCompleted)
            {
                var isThere = false;
                try
                {
                    isThere = await sse.FlushAsync(cancel).ConfigureAwait(false);
                }
                finally
                {
                    // The events can be left only where they are not being read.
                    if (!isThere) await LeaveAsync(next, leaving).ConfigureAwait(false);
                }
                if (!isThere) return false;
            }
            if (!await next.ConfigureAwait(false)) return true;
            var (choice, happened) = events.Current;
            if (!take(choice, happened)) return true;
        }
    }

    private static async Task LeaveAsync(ValueTask<bool> reading, CancellationTokenSource leaving)
    {
        await leaving.CancelAsync().ConfigureAwait(false);
        try
        {
            await reading.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // As it should.
        }
    }
}
