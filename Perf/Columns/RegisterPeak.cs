using System.Collections.Concurrent;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Limits;

namespace Quilt.Perf.Columns;

/// <summary>How many operations a second all threads of this machine make on registers alone, measured once a run.</summary>
internal static class RegisterPeak
{
    private static readonly ConcurrentDictionary<(Isa, bool), double> Measured = new();

    /// <summary>GOP/s of bytes or of float32 by an instruction set.</summary>
    public static double Of(Isa isa, bool bytes) => Measured.GetOrAdd((isa, bytes), static at =>
    {
        using var device = new CpuDevice(at.Item1);
        using var registers = new RegisterSpeed(device);
        return Enumerable.Range(0, 8).Max(_ => (at.Item2 ? registers.Int8() : registers.Float32()).Best);
    });
}
