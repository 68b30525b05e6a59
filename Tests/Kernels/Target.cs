using Quilt.Kernels.Devices;

namespace Quilt.Tests.Kernels;

/// <summary>An instruction set that fixtures are run on. Where the machine lacks it the fixture is skipped, and counted as skipped.</summary>
public sealed class Target(Isa isa)
{
    /// <summary>Every target there is.</summary>
    public static Target[] All { get; } = [new(Isa.Reference), new(Isa.Neon), new(Isa.Avx2), new(Isa.Avx512)];

    public Isa Isa { get; } = isa;

    internal CpuDevice Open(int threads = 2)
    {
        if (!Isa.IsSupported()) Assert.Ignore($"This machine does not execute {Isa}.");
        return new CpuDevice(Isa, threads);
    }

    public override string ToString() => Isa.ToString().ToLowerInvariant();
}
