namespace Quilt.Kernels.Devices;

/// <summary>
/// How many threads a pool has, and to which node of memory each belongs. Threads that follow each other belong to one node as far as possible:
/// they begin with neighbouring items of a job, so the part of a weight that a node's threads fill is the part they read, and lies in its memory.
/// </summary>
internal sealed class ThreadPlan
{
    private readonly CpuTopology topology;

    /// <summary>
    /// A plan of <paramref name="threads"/> threads; 0: as many as <see cref="DefaultThreads"/> says. They keep to their nodes where there is more
    /// than one, or where <paramref name="isPart"/> says that the machine has others.
    /// </summary>
    public ThreadPlan(CpuTopology topology, int threads = 0, bool isPart = false)
    {
        this.topology = topology;
        IsPinned = isPart || topology.Nodes > 1;
        Threads = threads > 0 ? threads : DefaultThreads(topology, Environment.ProcessorCount);
    }

    /// <summary>Threads, the one that hands out work included.</summary>
    public int Threads { get; }

    /// <summary>Whether threads keep to their nodes; where there is one node the system places them better.</summary>
    public bool IsPinned { get; }

    /// <summary>
    /// One thread a physical core: two hyperthreads of one core share what kernels are bound by. Never more than <paramref name="most"/>, which a
    /// container's quota may make fewer.
    /// </summary>
    public static int DefaultThreads(CpuTopology topology, int most) => Math.Max(1, Math.Min(topology.Cores, most));

    /// <summary>The node of a thread: threads are spread over the cores, taken node by node.</summary>
    public int Node(int thread)
    {
        var nodes = topology.Cpus.DistinctBy(cpu => cpu.Core).Select(cpu => cpu.Node).Order().ToArray();
        return nodes[(int)((long)thread * nodes.Length / Threads)];
    }

    /// <summary>
    /// Keeps the calling thread, which is number <paramref name="thread"/>, on the processors of its node, where there is more than one. The system
    /// may still move it from one to another of these, off a core that is busy.
    /// </summary>
    public void Pin(int thread)
    {
        if (!IsPinned) return;
        var node = Node(thread);
        ThreadAffinity.TrySet(topology.Cpus.Where(cpu => cpu.Node == node).Select(cpu => cpu.Id));
    }
}
