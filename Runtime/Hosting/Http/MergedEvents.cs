using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Quilt.Runtime;

namespace Quilt.Hosting.Http;

/// <summary>The events of a request's generations as they come, whichever they are of.</summary>
internal static class MergedEvents
{
    /// <summary>Reads all to their ends. Leaving it early ends them.</summary>
    public static IAsyncEnumerable<(int Choice, GenerationEvent Event)> Read(IReadOnlyList<Generation> generations, CancellationToken cancel) =>
        generations.Count == 1 ? One(generations[0], cancel) : Several(generations, cancel);

    private static async IAsyncEnumerable<(int, GenerationEvent)> One(Generation generation, [EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var happened in generation.Events(cancel).ConfigureAwait(false)) yield return (0, happened);
    }

    private static async IAsyncEnumerable<(int, GenerationEvent)> Several(IReadOnlyList<Generation> generations,
        [EnumeratorCancellation] CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var merged = Channel.CreateBounded<(int, GenerationEvent)>(new BoundedChannelOptions(256) { SingleReader = true });
        var open = generations.Count;
        var pumps = generations.Select((generation, i) => PumpAsync(generation, i)).ToArray();
        try
        {
            await foreach (var happened in merged.Reader.ReadAllAsync(cancel).ConfigureAwait(false)) yield return happened;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(pumps).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task PumpAsync(Generation generation, int choice)
        {
            try
            {
                await foreach (var happened in generation.Events(stop.Token).ConfigureAwait(false))
                    await merged.Writer.WriteAsync((choice, happened), stop.Token).ConfigureAwait(false);
                if (Interlocked.Decrement(ref open) == 0) merged.Writer.TryComplete();
            }
            catch (Exception failure)
            {
                merged.Writer.TryComplete(failure);
                throw;
            }
        }
    }
}
