using System.CommandLine;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Quilt.Kernels.Catalog;
using Quilt.Kernels.Devices;
using Spectre.Console;

namespace Quilt.Cli.Verbs;

/// <summary><c>doctor</c>: what this machine can do, and which kernel each operation takes on it.</summary>
internal static class DoctorVerb
{
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print one JSON document." };
        var command = new Command("doctor", "Shows CPU features, devices, and which kernel each operation takes.") { json };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(json)) PrintJson();
            else Print();
            return 0;
        });
        return command;
    }

    private static (string Name, bool Has)[] Features =>
    [
        ("avx2", Avx2.IsSupported), ("fma", Fma.IsSupported), ("avx512f", Avx512F.IsSupported), ("avx512bw", Avx512BW.IsSupported),
        ("avx512vbmi", Avx512Vbmi.IsSupported), ("avxvnni", AvxVnni.IsSupported), ("advsimd", AdvSimd.IsSupported), ("dotprod", Dp.IsSupported),
    ];

    private static void Print()
    {
        Console.Out.WriteLine(
            $"system    {RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}, {RuntimeInformation.FrameworkDescription}");
        Console.Out.WriteLine(
            $"cpu       {Environment.ProcessorCount} threads, {string.Join(" ", Features.Where(f => f.Has).Select(f => f.Name))}; kernels: " +
            $"{Word(IsaSupport.Best)}");
        var (topology, plan) = (CpuTopology.Machine, new ThreadPlan(CpuTopology.Machine));
        Console.Out.WriteLine(
            $"threads   {plan.Threads} unless --threads says otherwise: {topology.Cores} physical cores, {topology.Cpus.Count} logical processors, " +
            $"memory nodes: {string.Join(", ", Nodes(topology, plan))}{(plan.IsPinned ? "; each thread keeps to its node" : "")}");
        foreach (var device in GpuDevices.List())
            Console.Out.WriteLine(
                $"device    {device.Name,-13} " +
                $"{(device.WhyNot is null ? $"usable: {device.Description}{Size(device.MemoryBytes)}" : $"not usable: {device.WhyNot}")}");
        Console.Out.WriteLine($"memory    {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1 << 30):0.0} GiB");
        Console.Out.WriteLine();

        var isas = Enum.GetValues<Isa>();
        var table = new Table().Border(TableBorder.Simple).AddColumn("operation");
        foreach (var isa in isas) table.AddColumn(isa.IsSupported() ? Word(isa) : $"{Word(isa)} (not here)");
        foreach (var entry in OpCatalog.Operations) table.AddRow([entry.Name, .. isas.Select(isa => OpCatalog.Word(entry.On(isa)))]);
        AnsiConsole.Write(table);
    }

    private static void PrintJson() => JsonOutput.Print(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("system", RuntimeInformation.OSDescription);
        writer.WriteString("architecture", Word(RuntimeInformation.ProcessArchitecture));
        writer.WriteString("framework", RuntimeInformation.FrameworkDescription);
        writer.WriteNumber("threads", Environment.ProcessorCount);
        var (topology, plan) = (CpuTopology.Machine, new ThreadPlan(CpuTopology.Machine));
        writer.WriteNumber("default_threads", plan.Threads);
        writer.WriteNumber("physical_cores", topology.Cores);
        writer.WriteNumber("logical_processors", topology.Cpus.Count);
        writer.WriteNumber("memory_nodes", topology.Nodes);
        writer.WriteBoolean("threads_keep_to_nodes", plan.IsPinned);
        writer.WriteNumber("memory_bytes", GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        writer.WriteStartObject("cpu_features");
        foreach (var (name, has) in Features) writer.WriteBoolean(name, has);
        writer.WriteEndObject();
        writer.WriteStartArray("isas");
        foreach (var isa in Enum.GetValues<Isa>().Where(isa => isa.IsSupported())) writer.WriteStringValue(Word(isa));
        writer.WriteEndArray();
        writer.WriteString("best_isa", Word(IsaSupport.Best));
        writer.WriteStartArray("devices");
        foreach (var device in GpuDevices.List())
        {
            writer.WriteStartObject();
            writer.WriteString("name", device.Name);
            writer.WriteBoolean("usable", device.WhyNot is null);
            writer.WriteString("reason", device.WhyNot);
            writer.WriteString("description", device.Description);
            writer.WriteNumber("memory_bytes", device.MemoryBytes);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteStartObject("operations");
        foreach (var entry in OpCatalog.Operations)
        {
            writer.WriteStartObject(entry.Name);
            foreach (var isa in Enum.GetValues<Isa>())
                writer.WriteString(Word(isa), isa.IsSupported() ? OpCatalog.Word(entry.On(isa)) : "not supported by this machine");
            writer.WriteString("gpu", OpCatalog.Word(entry.OnGpu));
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    // Each node and how many threads it has.
    private static IEnumerable<string> Nodes(CpuTopology topology, ThreadPlan plan)
    {
        var threads = Enumerable.Range(0, plan.Threads).CountBy(plan.Node).ToDictionary();
        return topology.Cpus.Select(cpu => cpu.Node).Distinct().Order().Select(node => $"{node} ({threads.GetValueOrDefault(node)} threads)");
    }

    private static string Size(long bytes) => bytes == 0 ? "" : FormattableString.Invariant($", {bytes / (double)(1 << 30):0.0} GiB");

    private static string Word<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();
}
