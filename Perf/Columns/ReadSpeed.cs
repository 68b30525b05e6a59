using Quilt.Kernels.Devices;

namespace Quilt.Perf.Columns;

/// <summary>How fast this machine reads memory with all threads now, measured once a run.</summary>
internal static class ReadSpeed
{
    private static readonly Lazy<double> Measured = new(Measure);

    public static double GigabytesPerSecond => Measured.Value;

    private static double Measure()
    {
        using var pool = new WorkPool(Environment.ProcessorCount);
        using var read = new Quilt.Kernels.Limits.ReadSpeed(pool, 1L << 30);
        return Enumerable.Range(0, 4).Max(_ => read.Measure().Best);
    }
}
