namespace Quilt.Kernels.Devices;

/// <summary>The processor: one instruction set and a pool of threads.</summary>
internal sealed class CpuDevice : Device
{
    /// <summary>
    /// A device of <paramref name="threads"/> threads (0: one per physical core) that runs kernels of one instruction set (null: the widest).
    /// </summary>
    /// <exception cref="PlatformNotSupportedException">This machine lacks the instruction set.</exception>
    public CpuDevice(Isa? isa = null, int threads = 0)
        : this(isa, new ThreadPlan(CpuTopology.Machine, threads), "cpu")
    {
    }

    private CpuDevice(Isa? isa, ThreadPlan plan, string name)
    {
        Name = name;
        Isa = isa ?? IsaSupport.Best;
        if (!Isa.IsSupported()) throw new PlatformNotSupportedException($"This machine does not execute {Isa}; its widest is {IsaSupport.Best}.");
        Pool = new WorkPool(plan);
    }

    /// <summary>
    /// One of <paramref name="count"/> devices that share the machine: its part of the cores, node by node, and of <paramref name="threads"/> threads
    /// (0: one per physical core), at least one.
    /// </summary>
    /// <exception cref="PlatformNotSupportedException">This machine lacks the instruction set.</exception>
    public static CpuDevice Part(int index, int count, Isa? isa, int threads)
    {
        var part = CpuTopology.Machine.Part(index, count);
        var most = threads > 0 ? threads : ThreadPlan.DefaultThreads(CpuTopology.Machine, Environment.ProcessorCount);
        return new CpuDevice(isa, new ThreadPlan(part, Math.Max(1, most / count), isPart: CpuTopology.Machine.Nodes > 1), $"cpu {index}");
    }

    public override string Name { get; }

    /// <summary>Which kernels run.</summary>
    public Isa Isa { get; }

    /// <summary>The threads, the calling one included.</summary>
    public WorkPool Pool { get; }

    public override void Dispose() => Pool.Dispose();
}
