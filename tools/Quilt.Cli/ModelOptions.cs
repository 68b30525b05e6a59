using System.CommandLine;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;

namespace Quilt.Cli;

/// <summary>Which model, and how it runs: the options that several verbs share.</summary>
internal sealed class ModelOptions
{
    private int told;

    /// <summary>The options, none read yet.</summary>
    public ModelOptions() => Head.AcceptOnlyFromAmong("stored", "8bit");

    /// <summary>The checkpoint folder.</summary>
    public Option<string> Model { get; } =
        new("--model", "-m") { Description = "Checkpoint folder.", HelpName = "MODEL", DefaultValueFactory = _ => DemoModel.Folder };

    /// <summary>Where it runs.</summary>
    public Option<string> Device { get; } =
        new("--device") { Description = "Where to run; 'quilt doctor' lists what there is.", DefaultValueFactory = _ => "cpu" };

    /// <summary>Threads of the CPU.</summary>
    public Option<int?> Threads { get; } = TypedOption.Whole("--threads", "CPU threads; 0: one per physical core.");

    /// <summary>Precision of the input of quantized weights.</summary>
    public Option<Activations?> Activations { get; } = TypedOption.OneOf<Activations>("--activations",
        "Input of quantized weights: float (exact, the default), or the faster int8 (CPU), bfloat16 or fp8 (GPU).");

    /// <summary>How the head is held.</summary>
    public Option<string> Head { get; } = new("--head")
    {
        Description = "On a CPU: the last matrix as stored (the default), or in 8bit, half of bfloat16's bytes for a small error.",
        HelpName = "stored|8bit",
    };

    /// <summary>CPU instruction set.</summary>
    public Option<Isa?> Isa { get; } = TypedOption.OneOf<Isa>("--isa", "CPU instruction set; by default the widest this machine executes.");

    /// <summary>Memory for cached keys and values.</summary>
    public Option<double?> KvMemory { get; } = TypedOption.Real("--kv-memory",
        "Most memory for cached keys and values, in GiB; by default three quarters of what is free on a CPU, what is left on a GPU.");

    /// <summary>Precision of cached keys and values.</summary>
    public Option<KvType?> KvType { get; } = TypedOption.OneOf<KvType>("--kv-cache-dtype",
        "Precision of cached keys and values; by default float32 where a sequence of the model's full length fits that way, else bfloat16; " +
        "fp8 takes half of that.");

    /// <summary>Tokens of a step.</summary>
    public Option<int?> MaxBatchedTokens { get; } = TypedOption.Whole("--max-batched-tokens",
        "Most tokens in one step: longer prompts are read in parts of this size; default 512 on a CPU, 2,048 on a GPU.");

    /// <summary>Sequences that run together.</summary>
    public Option<int?> MaxSequences { get; } = TypedOption.Whole("--max-sequences", "Most sequences that run at the same time; default 64.");

    /// <summary>What lies behind the cache.</summary>
    public TierOptions Tiers { get; } = new();

    /// <summary>Adds all of them to a verb.</summary>
    public ModelOptions AddTo(Command command)
    {
        command.Options.Add(Model);
        AddPrecisionTo(command);
        command.Options.Add(KvMemory);
        Tiers.AddTo(command);
        command.Options.Add(MaxSequences);
        return this;
    }

    /// <summary>Adds those that say where and in what precision a prompt is read, for verbs that make no replies.</summary>
    public void AddPrecisionTo(Command command)
    {
        command.Options.Add(Device);
        command.Options.Add(Threads);
        command.Options.Add(Activations);
        command.Options.Add(Head);
        command.Options.Add(Isa);
        command.Options.Add(KvType);
        command.Options.Add(MaxBatchedTokens);
    }

    /// <summary>The options as the engine takes them.</summary>
    /// <exception cref="UsageException">The memory is no amount that a machine could have; the engine checks what else has a range.</exception>
    public EngineOptions Read(ParseResult parsed)
    {
        var usual = new EngineOptions();
        return Tiers.Read(parsed, usual with
        {
            Device = parsed.GetValue(Device)!,
            Threads = parsed.GetValue(Threads) ?? 0,
            Activations = parsed.GetValue(Activations) ?? default,
            Head = parsed.GetValue(Head) == "8bit" ? HeadPrecision.EightBit : HeadPrecision.AsStored,
            Isa = parsed.GetValue(Isa),
            KvMemory = parsed.GetValue(KvMemory) is { } gib ? Bytes(gib) : null,
            KvType = parsed.GetValue(KvType),
            MaxBatchedTokens = parsed.GetValue(MaxBatchedTokens),
            MaxSequences = parsed.GetValue(MaxSequences) ?? usual.MaxSequences,
        });
    }

    /// <summary>Opens the model, with a bar on a terminal while a big one loads, and prints what looks wrong with it.</summary>
    public async Task<Engine> OpenAsync(ParseResult parsed, CancellationToken cancel, Func<EngineOptions, EngineOptions>? change = null)
    {
        var options = Read(parsed);
        var engine = await LoadingBar.ShowAsync(progress =>
            Usage.OfAsync(() => Engine.OpenAsync(parsed.GetValue(Model)!, change?.Invoke(options) ?? options, progress, cancel)));
        told = 0;
        Tell(engine);
        if (Hint(options, engine.Memory.Weights, parsed.GetValue(Activations)) is { } hint) Console.Error.WriteLine($"quilt: {hint}");
        return engine;
    }

    /// <summary>A line on the choice between exact and int8 for those who left it open, where it is a matter of seconds; else null.</summary>
    internal static string? Hint(EngineOptions options, long weights, Activations? chosen) =>
        options.Device != "cpu" || chosen is not null || weights < 1L << 30 ? null
        : "exact float32 input (--activations float); --activations int8 reads prompts about twice as fast, " +
            "with an error far below that of 4-bit weights";

    /// <summary>Prints the engine's warnings that were not there yet when it was last asked.</summary>
    public void Tell(Engine engine)
    {
        foreach (var warning in engine.Warnings.Skip(told)) Console.Error.WriteLine($"quilt: warning: {warning}");
        told = engine.Warnings.Count;
    }

    private static long Bytes(double gib) => gib * (1L << 30) is >= 1 and <= 1L << 50 and var bytes
        ? (long)bytes
        : throw new UsageException(FormattableString.Invariant($"--kv-memory: expected more than 0 and at most {1L << 20} GiB, found {gib}"));
}
