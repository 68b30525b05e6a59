using Quilt.Quantizer.Plan;

namespace Quilt.Quantizer.Awq;

/// <summary>
/// Reads the experts of a layer one after another, each while the one before it is at work: two of them are in memory. Used by one thread.
/// </summary>
/// <param name="gate">The modules of all experts, in their order.</param>
/// <param name="up">The same.</param>
/// <param name="down">The same.</param>
/// <param name="threads">Threads that read.</param>
internal sealed class ExpertLoader(
    IReadOnlyList<PlannedModule> gate, IReadOnlyList<PlannedModule> up, IReadOnlyList<PlannedModule> down, int threads)
{
    private const int ChunkValues = 1 << 18;
    private readonly ExpertMatrices[] buffers = [Room(gate, up, down), Room(gate, up, down)];
    private readonly int[] held = [-1, -1];
    private Task<int>? reading;

    /// <summary>An expert's weights, valid until the next but one is asked for. The next one is read meanwhile.</summary>
    /// <param name="expert">Which expert.</param>
    /// <param name="next">Which one will be asked for then; −1: none.</param>
    /// <exception cref="Formats.BadInputException">A value is not finite, or the disk failed.</exception>
    public ExpertMatrices Take(int expert, int next)
    {
        if (reading is not null)
        {
            var pending = reading;
            reading = null;
            held[pending.GetAwaiter().GetResult() & 1] = pending.Result >> 1;
        }
        var at = Array.IndexOf(held, expert);
        if (at < 0)
        {
            at = 0;
            held[at] = -1;
            Read(expert, buffers[at], threads);
            held[at] = expert;
        }
        if (next >= 0 && Array.IndexOf(held, next) < 0)
        {
            var free = 1 - at;
            held[free] = -1;
            // Its own thread: the pool belongs to the computation.
            reading = Task.Factory.StartNew(() =>
            {
                Read(next, buffers[free], 1);
                return (next << 1) | free;
            }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        return buffers[at];
    }

    private static ExpertMatrices Room(params IReadOnlyList<PlannedModule>[] kinds)
    {
        var rooms = Array.ConvertAll(kinds, kind => new float[checked(kind[0].Shape.Rows * kind[0].Shape.Columns)]);
        return new(rooms[0], rooms[1], rooms[2]);
    }

    private void Read(int expert, ExpertMatrices into, int workers)
    {
        Read(gate[expert], into.Gate, workers);
        Read(up[expert], into.Up, workers);
        Read(down[expert], into.Down, workers);
    }

    private static void Read(PlannedModule module, float[] into, int workers)
    {
        var rows = WeightRows.Of(module.Stored);
        var step = rows.IsScattered ? rows.Rows : Math.Max(1, ChunkValues / rows.Columns);
        try
        {
            Parallel.For(0, (rows.Rows + step - 1) / step, new ParallelOptions { MaxDegreeOfParallelism = workers }, chunk =>
            {
                var first = chunk * step;
                var count = Math.Min(step, rows.Rows - first);
                rows.Read(first, into.AsSpan(first * rows.Columns, count * rows.Columns));
            });
        }
        catch (AggregateException failures)
        {
            // Of several rows that cannot be used any will do.
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failures.InnerExceptions[0]);
        }
    }
}
