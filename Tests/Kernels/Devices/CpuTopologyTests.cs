using Quilt.Kernels.Devices;

namespace Quilt.Tests.Kernels.Devices;

public sealed class CpuTopologyTests
{
    private string folder = null!;

    [SetUp]
    public void Open() => folder = Directory.CreateTempSubdirectory("quilt-topology-").FullName;

    [TearDown]
    public void Close() => Directory.Delete(folder, recursive: true);

    [Test]
    public void Hyperthreads_of_a_core_are_one_core()
    {
        Write("0-7", siblings: ["0,4", "1,5", "2,6", "3,7", "0,4", "1,5", "2,6", "3,7"], nodes: ["0-7"]);
        var read = CpuTopology.Read(folder, null)!;
        Assert.That((read.Cpus.Count, read.Cores, read.Nodes), Is.EqualTo((8, 4, 1)));
        Assert.That(new ThreadPlan(read).IsPinned, Is.False);
        Assert.That(ThreadPlan.DefaultThreads(read, 8), Is.EqualTo(4));
    }

    [Test]
    public void Slow_cores_count_beside_fast_ones()
    {
        // Two fast cores of two threads, four slow ones of one: what Intel's hybrid processors look like.
        Write("0-7", siblings: ["0-1", "0-1", "2-3", "2-3", "4", "5", "6", "7"], nodes: ["0-7"]);
        Assert.That(CpuTopology.Read(folder, null)!.Cores, Is.EqualTo(6));
    }

    [Test]
    public void Threads_that_follow_each_other_belong_to_one_node([Values(2, 4, 6, 8, 16)] int threads)
    {
        // Processors are numbered in turns over the nodes, as many servers do.
        Write("0-15", siblings: [.. Enumerable.Range(0, 16).Select(id => $"{id % 8},{(id % 8) + 8}")],
            nodes: ["0,2,4,6,8,10,12,14", "1,3,5,7,9,11,13,15"]);
        var read = CpuTopology.Read(folder, null)!;
        var plan = new ThreadPlan(read, threads);
        Assert.That((read.Cores, read.Nodes, plan.IsPinned), Is.EqualTo((8, 2, true)));
        Assert.That(Enumerable.Range(0, threads).Select(plan.Node), Is.EqualTo(Enumerable.Range(0, threads).Select(t => t < threads / 2 ? 0 : 1)));
    }

    [Test]
    public void Nodes_of_unequal_size_get_threads_by_their_cores()
    {
        Write("0-5", siblings: ["0", "1", "2", "3", "4", "5"], nodes: ["0-3", "4-5"]);
        var plan = new ThreadPlan(CpuTopology.Read(folder, null)!, 6);
        Assert.That(Enumerable.Range(0, 6).Select(plan.Node), Is.EqualTo(new[] { 0, 0, 0, 0, 1, 1 }));
    }

    [Test]
    public void Only_processors_that_the_process_may_use_count()
    {
        Write("0-7", siblings: ["0,4", "1,5", "2,6", "3,7", "0,4", "1,5", "2,6", "3,7"], nodes: ["0-3", "4-7"]);
        var read = CpuTopology.Read(folder, "Name:\tquilt\nCpus_allowed:\t0f\nCpus_allowed_list:\t0-1,5\n")!;
        Assert.That(read.Cpus, Is.EqualTo(new[] { new LogicalCpu(0, 0, 0), new LogicalCpu(1, 1, 0), new LogicalCpu(5, 1, 1) }));
        Assert.That(ThreadPlan.DefaultThreads(read, 1), Is.EqualTo(1), "a quota of one");
    }

    [TestCase("")]
    [TestCase("all of them")]
    [TestCase("3-1")]
    [TestCase("0-99999999")]
    public void A_list_that_is_none_names_no_processor(string online)
    {
        Write(online, siblings: [], nodes: []);
        Assert.That(CpuTopology.Read(folder, null), Is.Null);
    }

    [Test]
    public void A_folder_without_details_still_names_its_processors()
    {
        Write("0-2", siblings: [], nodes: []);
        var read = CpuTopology.Read(folder, null)!;
        Assert.That((read.Cores, read.Nodes), Is.EqualTo((3, 1)));
    }

    [Test]
    public void This_machine_has_a_core_and_a_node()
    {
        var machine = CpuTopology.Machine;
        Assert.That(machine.Cores, Is.InRange(1, machine.Cpus.Count));
        Assert.That(machine.Nodes, Is.InRange(1, machine.Cpus.Count));
        Assert.That(new ThreadPlan(machine).Threads, Is.InRange(1, Environment.ProcessorCount));
    }

    [Test]
    public void A_thread_keeps_to_the_processors_it_is_given()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("only Linux has the call");
        var only = CpuTopology.Machine.Cpus[^1].Id;
        string? status = null;
        var thread = new Thread(() =>
        {
            if (ThreadAffinity.TrySet([only])) status = File.ReadAllText("/proc/thread-self/status");
        });
        thread.Start();
        thread.Join();
        if (status is null) Assert.Ignore("this system refuses the call");
        Assert.That(status, Does.Contain($"Cpus_allowed_list:\t{only}\n"));
    }

    // What /sys/devices/system looks like: the siblings of each processor, the processors of each node.
    private void Write(string online, string[] siblings, string[] nodes)
    {
        Write(online + "\n", "cpu", "online");
        for (var id = 0; id < siblings.Length; id++) Write(siblings[id] + "\n", "cpu", $"cpu{id}", "topology", "thread_siblings_list");
        if (nodes.Length > 0) Write($"0-{nodes.Length - 1}\n", "node", "online");
        for (var node = 0; node < nodes.Length; node++) Write(nodes[node] + "\n", "node", $"node{node}", "cpulist");
    }

    private void Write(string text, params string[] path)
    {
        var file = Path.Combine([folder, .. path]);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
