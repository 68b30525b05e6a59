using System.CommandLine;
using System.Globalization;
using Quilt.Hosting;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;

namespace Quilt.Cli.Serve;

/// <summary>Which models are served, and how they run: vLLM's flags of the engine, and ours for the device.</summary>
internal sealed class ModelFlags
{
    private static readonly Dictionary<string, KvType?> KvTypes = new(StringComparer.Ordinal)
    {
        ["auto"] = null, ["float32"] = KvType.Float32, ["bfloat16"] = KvType.BFloat16, ["fp8"] = KvType.Fp8, ["fp8_e4m3"] = KvType.Fp8,
    };

    /// <summary>vLLM's names of the engine's options.</summary>
    public static readonly IReadOnlyDictionary<string, string> Names = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [nameof(EngineOptions.MaxModelTokens)] = "--max-model-len", [nameof(EngineOptions.MaxBatchedTokens)] = "--max-num-batched-tokens",
        [nameof(EngineOptions.MaxSequences)] = "--max-num-seqs", [nameof(EngineOptions.BlockTokens)] = "--block-size",
        [nameof(EngineOptions.MaxPartialPrompts)] = "--max-num-partial-prefills",
        [nameof(EngineOptions.MaxLongPartialPrompts)] = "--max-long-partial-prefills",
        [nameof(EngineOptions.KvHostMemory)] = "--kv-offloading-size", [nameof(EngineOptions.KvDiskSize)] = "--kv-disk-size",
        [nameof(EngineOptions.LongPromptTokens)] = "--long-prefill-token-threshold", [nameof(QuiltOptions.Model)] = "MODEL",
    };

    private readonly Argument<string?> model =
        new("MODEL") { Description = "Checkpoint folder; left out, the demo model.", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string[]> models = new("--model", "-m")
    { Description = "A further model, loaded when a request asks for it by NAME; may be given several times.", HelpName = "NAME=FOLDER" };
    private readonly Option<string[]> names = new("--served-model-name")
    { Description = "Names that the model answers to; the first is told in answers.", HelpName = "NAME", AllowMultipleArgumentsPerToken = true };
    private readonly Option<double?> modelMemory = TypedOption.Real("--model-memory",
        "Most memory that all loaded models may take together, in GiB.");
    private readonly Option<double?> idleSeconds = TypedOption.Real("--idle-seconds", "Drop a model of --model that nobody has used for so long.");
    private readonly Option<string?> overrides = Text("--override-generation-config", "Sampling options for requests that say nothing.", "JSON");
    private readonly Option<string?> generationConfig = Text("--generation-config", "auto (the model's), vllm (none), or a folder that has one.",
        "WHERE");
    private readonly Option<string?> calls = Text("--tool-call-parser", "How the model writes calls, where its template does not tell.", "NAME");
    private readonly Option<string?> thinking = Text("--reasoning-parser", "How the model thinks, where its template does not tell.", "NAME");
    private readonly Option<string?> maxLength = Text("--max-model-len", "Most tokens of prompt and reply: a number, 196k, or auto.", "N");
    private readonly Option<int?> batched = TypedOption.Whole("--max-num-batched-tokens",
        "Most tokens in one step; default 512 on a CPU, 2,048 on a GPU.");
    private readonly Option<int?> sequences = TypedOption.Whole("--max-num-seqs", "Most requests that run at the same time; default 64.");
    private readonly Option<int?> waiting = TypedOption.Whole("--max-waiting", "Most requests that wait beside those; default 1024.");
    private readonly Option<int?> blockSize = TypedOption.Whole("--block-size", "Tokens of a cache block; 16.");
    private readonly Option<string?> kvType = Text("--kv-cache-dtype", "auto, float32, bfloat16 or fp8.", "TYPE");
    private readonly Option<double?> kvMemory = TypedOption.Real("--kv-memory", "Most memory for cached keys and values, in GiB.");
    private readonly Option<long?> kvBytes = TypedOption.Long("--kv-cache-memory-bytes", "The same in bytes.");
    private readonly TierOptions tiers = new();
    private readonly Option<double?> utilization = TypedOption.Real("--gpu-memory-utilization", "Share of a GPU's memory that may be used.");
    private readonly Option<bool> caching = new("--enable-prefix-caching") { Description = "Keep what prompts have in common; on by default." };
    private readonly Option<bool> noCaching = new("--no-enable-prefix-caching") { Description = "Do not." };
    private readonly Option<int?> partial = TypedOption.Whole("--max-num-partial-prefills", "Most prompts that are read in parts at once.");
    private readonly Option<int?> longPartial = TypedOption.Whole("--max-long-partial-prefills", "Most of them that are long.");
    private readonly Option<int?> longTokens = TypedOption.Whole("--long-prefill-token-threshold", "Tokens from which a prompt is long.");
    private readonly Option<string?> policy = Text("--scheduling-policy", "fcfs or priority.", "POLICY");
    private readonly Option<string> device = new("--device") { Description = "cpu, gpu:0 or opencl:0.", DefaultValueFactory = _ => "cpu" };
    private readonly Option<int?> threads = TypedOption.Whole("--threads", "CPU threads; 0: one per physical core.");
    private readonly Option<Activations?> activations = TypedOption.OneOf<Activations>("--activations",
        "Input of quantized weights: float (exact, the default), or the faster int8 (CPU), bfloat16 or fp8 (GPU).");
    private readonly Option<Isa?> isa = TypedOption.OneOf<Isa>("--isa", "CPU instruction set.");

    /// <summary>Adds all of them.</summary>
    public ModelFlags AddTo(Command command)
    {
        command.Arguments.Add(model);
        Option[] all = [models, names, modelMemory, idleSeconds, overrides, generationConfig, calls, thinking, maxLength, batched, sequences, waiting,
            blockSize, kvType, kvMemory, kvBytes, utilization, caching, noCaching, partial, longPartial, longTokens, policy, device, threads,
            activations, isa, .. tiers.All];
        foreach (var option in all) command.Options.Add(option);
        return this;
    }

    /// <summary>What was given of them and changes nothing here, and why.</summary>
    public string? Idle(ParseResult parsed) => parsed.GetValue(utilization) is null ? null
        : $"{utilization.Name} changes nothing: " + (parsed.GetValue(device) == "cpu"
            ? "there is no GPU in use" : "the cache is planned from the memory that is free; --kv-memory says otherwise");

    /// <summary>The models that were asked for.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="template">A chat template in the place of the models' own.</param>
    /// <param name="options">Where they are laid down.</param>
    /// <exception cref="UsageException">A value cannot be read.</exception>
    public void Read(ParseResult parsed, string? template, QuiltOptions options)
    {
        options.Model = parsed.GetValue(model);
        foreach (var given in parsed.GetValue(models) ?? [])
        {
            var equals = given.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0) options.Models[given[..equals]] = given[(equals + 1)..];
            else options.Model = options.Model is null
                ? given
                : throw new UsageException($"--model: expected NAME=FOLDER beside MODEL, found '{given}'");
        }
        if (options.Model is null && options.Models.Count == 0) options.Model = DemoModel.Folder;
        foreach (var name in parsed.GetValue(names) ?? []) options.ModelNames.Add(name);
        options.ModelMemory = parsed.GetValue(modelMemory) is { } gib ? string.Create(CultureInfo.InvariantCulture, $"{gib} GiB") : null;
        options.IdleTime = parsed.GetValue(idleSeconds) is { } seconds ? Seconds("--idle-seconds", seconds) : null;
        options.Sampling = JsonOption.Sampling("--override-generation-config", parsed.GetValue(overrides));
        switch (parsed.GetValue(generationConfig))
        {
            case null or "auto":
                break;
            case "vllm":
                options.UseGenerationConfig = false;
                break;
            case var folder:
                options.GenerationConfigFolder = Directory.Exists(folder) ? folder
                    : throw new UsageException($"--generation-config: expected auto, vllm or a folder, found '{folder}'");
                break;
        }
        options.Engine = Engine(parsed, template);
    }

    /// <summary>A time in seconds.</summary>
    public static TimeSpan Seconds(string option, double seconds) => seconds is >= 0 and <= 1e6 ? TimeSpan.FromSeconds(seconds)
        : throw new UsageException(FormattableString.Invariant($"{option}: expected 0 to 1000000 seconds, found {seconds}"));

    private EngineOptions Engine(ParseResult parsed, string? template)
    {
        var usual = new EngineOptions();
        return tiers.Read(parsed, usual with
        {
            Device = parsed.GetValue(device)!,
            Threads = parsed.GetValue(threads) ?? 0,
            Activations = parsed.GetValue(activations) ?? default,
            Isa = parsed.GetValue(isa),
            KvMemory = KvBytes(parsed),
            KvType = parsed.GetValue(kvType) is not { } type ? null : KvTypes.TryGetValue(type, out var known) ? known
                : throw new UsageException($"--kv-cache-dtype: expected {string.Join(", ", KvTypes.Keys)}, found '{type}'"),
            MaxBatchedTokens = parsed.GetValue(batched),
            MaxSequences = parsed.GetValue(sequences) ?? usual.MaxSequences,
            MaxWaiting = parsed.GetValue(waiting) ?? usual.MaxWaiting,
            MaxModelTokens = Length(parsed.GetValue(maxLength)),
            BlockTokens = parsed.GetValue(blockSize) ?? usual.BlockTokens,
            PrefixCaching = !parsed.GetValue(noCaching),
            MaxPartialPrompts = parsed.GetValue(partial) ?? usual.MaxPartialPrompts,
            MaxLongPartialPrompts = parsed.GetValue(longPartial) ?? usual.MaxLongPartialPrompts,
            LongPromptTokens = parsed.GetValue(longTokens) ?? usual.LongPromptTokens,
            Scheduling = parsed.GetValue(policy) switch
            {
                null or "fcfs" => SchedulingPolicy.FirstCome,
                "priority" => SchedulingPolicy.Priority,
                var other => throw new UsageException($"--scheduling-policy: expected fcfs or priority, found '{other}'"),
            },
            ChatTemplate = template,
            ReplyDialect = ReplyParsers.Find(parsed.GetValue(calls), parsed.GetValue(thinking)),
        });
    }

    private long? KvBytes(ParseResult parsed)
    {
        if (parsed.GetValue(utilization) is { } share && share is not (> 0 and <= 1))
            throw new UsageException(FormattableString.Invariant($"--gpu-memory-utilization: expected more than 0 and at most 1, found {share}"));
        if (parsed.GetValue(kvBytes) is { } bytes) return bytes;
        if (parsed.GetValue(kvMemory) is not { } gib) return null;
        return gib * (1L << 30) is >= 1 and <= 1L << 50 and var size ? (long)size
            : throw new UsageException(FormattableString.Invariant($"--kv-memory: expected more than 0 and at most {1L << 20} GiB, found {gib}"));
    }

    // vLLM's notation: 1k is 1,000 and 1K is 1,024.
    private static int? Length(string? text)
    {
        if (text is null or "auto") return null;
        var (scale, digits) = text[^1] switch
        {
            'k' => (1000, text[..^1]),
            'K' => (1024, text[..^1]),
            'm' => (1_000_000, text[..^1]),
            'M' => (1 << 20, text[..^1]),
            _ => (1, text),
        };
        return double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number * scale is >= 1 and <= int.MaxValue and var length ? (int)length
            : throw new UsageException($"--max-model-len: expected a number of tokens such as 8192 or 196k, or auto, found '{text}'");
    }

    private static Option<string?> Text(string name, string description, string help) => new(name) { Description = description, HelpName = help };
}
