namespace Quilt.Kernels.Devices;

/// <summary>The processor: one instruction set and a pool of threads.</summary>
internal sealed class CpuDevice : Device
{
    /// <summary>
    /// A device of <paramref name="threads"/> threads (0: one per physical core) that runs kernels of one instruction set (null: the widest).
    /// </summary>
    /// <exception cref="PlatformNotSupportedException">This machine lacks the instruction set.</exception>
    public CpuDevice(Isa? isa = null, int threads = 0)
    {
        Isa = isa ?? IsaSupport.Best;
        if (!Isa.IsSupported()) throw new PlatformNotSupportedException($"This machine does not execute {Isa}; its widest is {IsaSupport.Best}.");
        Pool = new WorkPool(new ThreadPlan(CpuTopology.Machine, threads));
    }

    public override string Name => "cpu";

    /// <summary>Which kernels run.</summary>
    public Isa Isa { get; }

    /// <summary>The threads, the calling one included.</summary>
    public WorkPool Pool { get; }

    public override void Dispose() => Pool.Dispose();
}
