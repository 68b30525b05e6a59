using System.CommandLine;
using Quilt.Cli.Inspect;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Spectre.Console;

namespace Quilt.Cli.Verbs;

/// <summary><c>inspect MODEL</c> or <c>inspect FILE.safetensors</c>: what it is, how it is stored, what looks wrong. Reads headers only.</summary>
internal static class InspectVerb
{
    public static Command Create()
    {
        var target = new Argument<string>("MODEL")
        { Description = "Checkpoint folder, or one .safetensors file.", DefaultValueFactory = _ => DemoModel.Folder };
        var json = new Option<bool>("--json") { Description = "Print one JSON document." };
        var tensors = new Option<bool>("--tensors") { Description = "List every tensor." };
        var command = new Command("inspect", "Shows what a checkpoint is: architecture, parameters, storage, memory, problems.")
        { target, json, tensors };
        var devices = ModelOptions.NewTensorParallel();
        devices.Description = "Show what each of so many devices would hold.";
        var dealt = ModelOptions.NewExpertParallel();
        var memory = TypedOption.Real("--device-memory", "Memory of each of these devices, GPUs, in GiB; left out, parts of this machine.");
        var kvType = TypedOption.OneOf<KvType>("--kv-cache-dtype", "Precision of their cached keys and values.");
        foreach (var option in new Option[] { devices, dealt, memory, kvType }) command.Options.Add(option);

        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(target)!;
            if (File.Exists(path)) InspectFile(path, parsed.GetValue(json), parsed.GetValue(tensors));
            else InspectFolder(path, parsed.GetValue(json), parsed.GetValue(tensors), Plan);
            return 0;

            MemoryPlan? Plan(Checkpoint checkpoint) => parsed.GetValue(devices) is not (null or 1) and var count
                ? Usage.Of(() => DevicePlans.Of(checkpoint, new EngineOptions
                {
                    TensorParallel = count.Value,
                    ExpertParallel = parsed.GetValue(dealt),
                    KvType = parsed.GetValue(kvType),
                    MaxBatchedTokens = parsed.GetValue(memory) is null ? null : 2048,
                }, parsed.GetValue(memory) is { } gib ? (long)(gib * (1L << 30)) : null))
                : null;
        });
        return command;
    }

    private static void InspectFolder(string path, bool json, bool list, Func<Checkpoint, MemoryPlan?> planOf)
    {
        using var checkpoint = Checkpoint.OpenHeaders(path);
        var found = Inspection.Of(checkpoint);
        var plan = found.Spec is null ? null : planOf(checkpoint);
        if (json)
        {
            JsonOutput.Print(writer => InspectionJson.Write(writer, found, list ? checkpoint.Tensors : null, plan));
            return;
        }
        Line("folder", checkpoint.Folder);
        Line("architecture", found.Spec is { } s
            ? $"{found.Architecture}, {s.Layers} layers{(s.Experts is { } e ? $" of {e.Experts} experts ({e.PerToken} a token)" : "")}, hidden " +
                $"{s.Hidden}"
            : found.Architecture);
        if (found.Spec is not null)
        {
            Line("parameters", $"{Sizes.Count(found.Parameters)}, {Sizes.Count(found.ActiveParameters)} active for a token");
            Line("memory", $"{Sizes.Bytes(found.TensorBytes)} of weights");
            Line("cache", $"a token in bfloat16 {Cache(found, KvType.BFloat16, 1)}, in fp8 {Cache(found, KvType.Fp8, 1)}; " +
                $"{found.ContextTokens} tokens " +
                $"{Cache(found, KvType.BFloat16, found.ContextTokens)}, in fp8 {Cache(found, KvType.Fp8, found.ContextTokens)}");
        }
        else
        {
            Line("tensors", $"{checkpoint.Tensors.Count}, {Sizes.Bytes(found.TensorBytes)}");
        }
        if (found.Kinds.Any()) AnsiConsole.Write(KindTable(found));
        if (plan is not null) DevicePlans.Print(plan);
        if (list) PrintTensors(checkpoint.Tensors);
        foreach (var warning in found.Warnings) Console.Out.WriteLine($"warning: {warning}");
    }

    private static void InspectFile(string path, bool json, bool list)
    {
        using var file = SafeTensorsFile.Open(path);
        var types = file.Tensors.Values.GroupBy(tensor => tensor.Type).OrderBy(group => group.Key);
        if (json)
        {
            JsonOutput.Print(writer => InspectionJson.Write(writer, file, list));
            return;
        }
        Line("file", file.Path);
        Line("tensors", $"{file.Tensors.Count}, {Sizes.Bytes(file.Tensors.Values.Sum(tensor => tensor.Length))}");
        foreach (var (key, value) in file.Metadata) Line(key, value);
        foreach (var type in types) Line(type.Key.FileName(), $"{type.Count()} tensors, {Sizes.Bytes(type.Sum(tensor => tensor.Length))}");
        if (list) PrintTensors(file.Tensors.Values);
    }

    private static Table KindTable(Inspection found)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("modules", "stored as", "count", "bytes");
        table.Columns[2].RightAligned();
        table.Columns[3].RightAligned();
        foreach (var (kind, scheme, modules, bytes) in found.Kinds) table.AddRow(kind, scheme, $"{modules}", Sizes.Bytes(bytes));
        return table;
    }

    private static void PrintTensors(IEnumerable<TensorEntry> tensors)
    {
        foreach (var tensor in tensors.OrderBy(t => t.Part ?? t.Name, StringComparer.Ordinal))
        {
            Console.Out.WriteLine(
                $"{tensor.Part ?? tensor.Name}\t{tensor.Type.FileName()}\t[{string.Join(',', tensor.Shape)}]\t{Path.GetFileName(tensor.File)}");
        }
    }

    private static string Cache(Inspection found, KvType type, long tokens) => Sizes.Bytes(found.KvBytesPerToken(type) * tokens);

    private static void Line(string what, string value) => Console.Out.WriteLine($"{what,-13} {value}");
}
