using System.Buffers;
using System.Runtime.ExceptionServices;
using Quilt.Quantizer.Plan;

namespace Quilt.Quantizer.Output;

/// <summary>Goes through the rows of a weight on several threads, a few rows at a time.</summary>
internal sealed class RowLoop(int threads, CancellationToken cancel)
{
    // Values that a thread has before it at a time: they stay in the cache.
    private const int ChunkValues = 1 << 16;
    private readonly ParallelOptions options = new() { MaxDegreeOfParallelism = threads, CancellationToken = cancel };

    /// <summary>What is done with whole rows, from <paramref name="first"/> on; on any thread, in any order.</summary>
    public delegate void Body(int first, ReadOnlySpan<float> rows);

    /// <summary>Rows that give all threads something to do.</summary>
    public int BatchRows(WeightRows weight) => weight.IsScattered ? weight.Rows : Math.Min(weight.Rows, 4 * threads * ChunkRows(weight));

    /// <summary>Reads rows <paramref name="first"/> to <paramref name="end"/> − 1.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public void Run(WeightRows weight, int first, int end, Body body)
    {
        var step = ChunkRows(weight);
        try
        {
            Parallel.For(0, (end - first + step - 1) / step, options, chunk =>
            {
                var start = first + (chunk * step);
                var count = (Math.Min(start + step, end) - start) * weight.Columns;
                var values = ArrayPool<float>.Shared.Rent(count);
                try
                {
                    weight.Read(start, values.AsSpan(0, count));
                    body(start, values.AsSpan(0, count));
                }
                finally
                {
                    ArrayPool<float>.Shared.Return(values);
                }
            });
        }
        catch (AggregateException failures)
        {
            // Of several rows that cannot be used any will do.
            ExceptionDispatchInfo.Throw(failures.InnerExceptions[0]);
        }
    }

    private static int ChunkRows(WeightRows weight) => weight.IsScattered ? weight.Rows : Math.Max(1, ChunkValues / weight.Columns);
}
