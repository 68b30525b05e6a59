using System.Globalization;
using Quilt.Formats.Chat.Replies;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime.Kv.Tiers;

namespace Quilt.Runtime;

/// <summary>How an engine runs.</summary>
public sealed record EngineOptions
{
    /// <summary>
    /// Where it runs: <c>cpu</c>, <c>gpu:0</c>, <c>opencl:0</c>, or <c>gpu-emulated</c>, which runs a GPU's kernels on the processor to test them;
    /// with <see cref="TensorParallel"/> the first of several that follow each other, or all of them: <c>gpu:0,gpu:2</c>.
    /// <see cref="GpuDevices.List"/> says what there is.
    /// </summary>
    public string Device { get; init; } = "cpu";

    /// <summary>
    /// Devices over which every layer is cut (vLLM's tensor_parallel_size): each holds a part of the weights and of the cache, and all run a step
    /// together. On a CPU they are parts of its cores, node by node.
    /// </summary>
    public int TensorParallel { get; init; } = 1;

    /// <summary>
    /// Whether each of several devices holds some of the routed experts whole (vLLM's enable_expert_parallel); else a part of every expert.
    /// </summary>
    public bool ExpertParallel { get; init; }

    /// <summary>Threads of the CPU, the engine's own included; 0: one per physical core.</summary>
    public int Threads { get; init; }

    /// <summary>Instruction set of the CPU kernels; null: the widest this machine executes.</summary>
    public Isa? Isa { get; init; }

    /// <summary>Precision of the input of quantized weights.</summary>
    public Activations Activations { get; init; } = Activations.Float;

    /// <summary>How the head is held: as stored, or in eight bits, which a CPU reads in half the time of bfloat16.</summary>
    public HeadPrecision Head { get; init; }

    /// <summary>
    /// Precision of cached keys and values. Null: float32 where activations are float and the cache then holds a sequence of the model's full length;
    /// bfloat16 otherwise, and on tensor cores, whose attention needs it. FP8 takes half of bfloat16's memory and is never chosen by itself.
    /// </summary>
    public KvType? KvType { get; init; }

    /// <summary>
    /// Most memory for cached keys and values, in bytes. Null: on a CPU three quarters of what is free beside the weights, taken from the system as
    /// it is used; on a GPU all that weights and steps leave, taken at once; never more than the sequences could fill.
    /// </summary>
    public long? KvMemory { get; init; }

    /// <summary>
    /// Most tokens that prompt and reply of one request may have together (vLLM's max_model_len); null: what the model was made for. It cannot be
    /// more than that.
    /// </summary>
    public int? MaxModelTokens { get; init; }

    /// <summary>
    /// Tokens in a cache block. Attention takes keys in groups of 16, which begin anew in each block: any multiple of 16 gives the same bits, other
    /// sizes differ in the last of them.
    /// </summary>
    public int BlockTokens { get; init; } = 16;

    /// <summary>
    /// Most tokens in one step, prompts and replies together (vLLM's max_num_batched_tokens): a longer prompt is read in parts. Null: 512 on a CPU,
    /// 2,048 on a GPU, which needs many rows to be busy.
    /// </summary>
    public int? MaxBatchedTokens { get; init; }

    /// <summary>
    /// How long a step may hold up replies that run: a prompt's part in it shrinks so that it takes no longer. Null: 200 ms on a CPU, no bound on a
    /// GPU. Zero: no bound.
    /// </summary>
    public TimeSpan? StepTime { get; init; }

    /// <summary>Most sequences that run at the same time; more wait their turn.</summary>
    public int MaxSequences { get; init; } = 64;

    /// <summary>Most requests that wait beside those that run; one more is refused (<see cref="EngineBusyException"/>).</summary>
    public int MaxWaiting { get; init; } = 1024;

    /// <summary>
    /// Longest that a request may wait before it begins; it then ends (<see cref="FinishReason.Timeout"/>). Null: as long as it takes.
    /// </summary>
    public TimeSpan? MaxWaitingTime { get; init; }

    /// <summary>Most prompts that are read in parts at the same time (vLLM's max_num_partial_prefills).</summary>
    public int MaxPartialPrompts { get; init; } = 4;

    /// <summary>Most of them that are long (vLLM's max_long_partial_prefills), so that short prompts pass them.</summary>
    public int MaxLongPartialPrompts { get; init; } = 1;

    /// <summary>
    /// A prompt is long while more tokens than this are missing, and gets no more of them in one step (vLLM's long_prefill_token_threshold). 0: half
    /// of <see cref="MaxBatchedTokens"/>, and all of it where nobody else wants any.
    /// </summary>
    public int LongPromptTokens { get; init; }

    /// <summary>Who is served first.</summary>
    public SchedulingPolicy Scheduling { get; init; }

    /// <summary>
    /// So many later arrivals outweigh one level of <see cref="GenerationRequest.Priority"/>: a request is overtaken by more urgent ones for so
    /// long, and none waits for ever.
    /// </summary>
    public int PriorityAging { get; init; } = 256;

    /// <summary>Part of the cache that a newcomer must leave free for those that run, so that they need not give way at once.</summary>
    public double Watermark { get; init; } = 0.01;

    /// <summary>
    /// Whether what was computed of one request is kept for others that begin with the same tokens. On a CPU that changes no bit of a reply; on a GPU
    /// it may change the last ones (<see cref="Engine.Warnings"/>).
    /// </summary>
    public bool PrefixCaching { get; init; } = true;

    /// <summary>
    /// Bytes of the host's memory for keys and values that the cache had to give up, or may have to (docs/kv-tiers.md); 0: none.
    /// </summary>
    public long KvHostMemory { get; init; }

    /// <summary>
    /// A folder for a file of cached keys and values, which outlives the engine: the next one of the same model and options begins with what is
    /// in it.
    /// Made if need be, for its owner alone. Null: none.
    /// </summary>
    public string? KvDisk { get; init; }

    /// <summary>Most bytes of that file, which are taken when it is made.</summary>
    public long KvDiskSize { get; init; } = 10L << 30;

    /// <summary>Makes a tier behind these, on another machine; null: none.</summary>
    internal Func<KvSpace, KvTier>? KvRemote { get; init; }

    /// <summary>
    /// Whether loading ends with a few steps on made-up tokens, so that what runs in a step is compiled before the first request. It changes no reply
    /// and leaves nothing in the cache. On a GPU there is none.
    /// </summary>
    public bool WarmUp { get; init; } = true;

    /// <summary>Is told of every step and request; null: nobody.</summary>
    public EngineObserver? Observer { get; init; }

    /// <summary>How the model writes its replies, one of <see cref="ReplyParser.Dialects"/>; null: as the text of its chat template tells.</summary>
    public string? ReplyDialect { get; init; }

    /// <summary>
    /// A chat template in the place of the checkpoint's own: a file, or the template itself, which is told by its <c>{{</c> or <c>{%</c>.
    /// </summary>
    public string? ChatTemplate { get; init; }

    /// <summary><see cref="MaxBatchedTokens"/>, or what it is where it was left open.</summary>
    internal int BatchedTokens => MaxBatchedTokens ?? Math.Max(MaxSequences, Device == "cpu" ? 512 : 2048);

    /// <summary>Whether there is anything behind the cache.</summary>
    internal bool HasTiers => KvHostMemory > 0 || KvDisk is not null || KvRemote is not null;

    /// <summary>Checks ranges.</summary>
    /// <exception cref="ArgumentException">A value is out of its range; the message names it.</exception>
    internal void Validate()
    {
        Check(nameof(TensorParallel), TensorParallel, 1, 64);
        var names = Device.Split(',');
        if (Device != "cpu" && !names.All(GpuDevices.IsName))
            throw new ArgumentException($"Device: expected cpu, gpu:N, opencl:N or {GpuDevices.Emulated}, found '{Device}'.");
        if (names.Length > 1 && names.Length != TensorParallel)
            throw new ArgumentException($"Device: expected {TensorParallel} as TensorParallel (--tp) says, found {names.Length}: '{Device}'.");
        if (ExpertParallel && TensorParallel == 1)
            throw new ArgumentException("ExpertParallel: expected TensorParallel (--tp) of 2 or more beside it, found 1.");
        Activations[] known = Device == "cpu" ? [Activations.Float, Activations.Int8] : [Activations.Float, Activations.BFloat16, Activations.Fp8];
        if (!known.Contains(Activations))
            throw new ArgumentException($"Activations: expected {string.Join(" or ", known)} on {Device}, found {Activations}.");
        if (Device != "cpu" && Head != HeadPrecision.AsStored)
            throw new ArgumentException($"Head: expected {HeadPrecision.AsStored} on {Device}, found {Head}; an 8-bit head is the CPU's.");
        if (Device != "cpu" && Isa is not null) throw new ArgumentException($"Isa: expected none on {Device}, found {Isa}; the choice is the CPU's.");
        if (ReplyDialect is not null && !ReplyParser.Dialects.Contains(ReplyDialect))
            throw new ArgumentException($"ReplyDialect: expected one of {string.Join(", ", ReplyParser.Dialects)}, found '{ReplyDialect}'.");
        Check(nameof(Threads), Threads, 0, 4096);
        Check(nameof(BlockTokens), BlockTokens, 1, 1024);
        Check(nameof(MaxModelTokens), MaxModelTokens ?? 1, 1, int.MaxValue);
        Check(nameof(MaxBatchedTokens), BatchedTokens, 1, 1 << 16);
        Check(nameof(MaxSequences), MaxSequences, 1, 1 << 16);
        Check(nameof(MaxPartialPrompts), MaxPartialPrompts, 1, int.MaxValue);
        Check(nameof(MaxLongPartialPrompts), MaxLongPartialPrompts, 1, int.MaxValue);
        Check(nameof(LongPromptTokens), LongPromptTokens, 0, int.MaxValue);
        Check(nameof(PriorityAging), PriorityAging, 1, 1 << 20);
        if (!(Watermark is >= 0 and < 1)) throw new ArgumentException($"Watermark: expected at least 0 and less than 1, found {Watermark}.");
        if (StepTime < TimeSpan.Zero) throw new ArgumentException($"StepTime: expected no negative time, found {StepTime}.");
        if (MaxWaitingTime <= TimeSpan.Zero) throw new ArgumentException($"MaxWaitingTime: expected more than zero, found {MaxWaitingTime}.");
        Check(nameof(MaxWaiting), MaxWaiting, 0, 1 << 24);
        Check(nameof(KvMemory), KvMemory ?? 1, 1, long.MaxValue);
        Check(nameof(KvHostMemory), KvHostMemory, 0, long.MaxValue);
        Check(nameof(KvDiskSize), KvDiskSize, 1, long.MaxValue);
        if (KvDisk is { Length: 0 }) throw new ArgumentException("KvDisk: expected a folder, found an empty name.");
        if (!HasTiers) return;
        if (Device != "cpu") throw new ArgumentException($"KvHostMemory, KvDisk: expected Device cpu, whose cache alone has tiers, found {Device}.");
        if (TensorParallel > 1)
            throw new ArgumentException($"KvHostMemory, KvDisk: expected TensorParallel (--tp) 1, which alone has tiers, found {TensorParallel}.");
        if (!PrefixCaching) throw new ArgumentException("KvHostMemory, KvDisk: expected PrefixCaching, without which nothing is found again.");
    }

    /// <summary>Opens the device.</summary>
    /// <exception cref="NotSupportedException">There is no such device, or it cannot be used; the message says why.</exception>
    internal Device OpenDevice() => TensorParallel == 1
        ? Open(Device, 0)
        : throw new NotSupportedException($"TensorParallel (--tp): expected 1 for what is asked for, found {TensorParallel}.");

    /// <summary>Opens all devices, <see cref="TensorParallel"/> of them.</summary>
    /// <exception cref="NotSupportedException">There is no such device, or it cannot be used; the message says why.</exception>
    internal Device[] OpenDevices()
    {
        var names = DeviceNames();
        var devices = new List<Device>();
        try
        {
            for (var i = 0; i < names.Length; i++) devices.Add(Open(names[i], i));
            return [.. devices];
        }
        catch
        {
            foreach (var device in devices) device.Dispose();
            throw;
        }
    }

    /// <summary>The names of all devices: those that follow the one that was named, where only one was.</summary>
    internal string[] DeviceNames()
    {
        var names = Device.Split(',');
        if (names.Length == TensorParallel) return names;
        var colon = Device.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) return [.. Enumerable.Repeat(Device, TensorParallel)];
        var first = int.Parse(Device.AsSpan(colon + 1), CultureInfo.InvariantCulture);
        var kind = Device[..colon];
        return [.. Enumerable.Range(first, TensorParallel).Select(index => string.Create(CultureInfo.InvariantCulture, $"{kind}:{index}"))];
    }

    private Device Open(string name, int index)
    {
        if (name == "cpu") return TensorParallel == 1 ? new CpuDevice(Isa, Threads) : CpuDevice.Part(index, TensorParallel, Isa, Threads);
        var most = Threads > 0 ? Threads : new ThreadPlan(CpuTopology.Machine).Threads;
        var device = GpuDevices.Open(name, TensorParallel == 1 ? Threads : Math.Max(1, most / TensorParallel));
        if (Activations != Activations.Fp8 || device.Traits.Fp8) return device;
        device.Dispose();
        throw new NotSupportedException(
            $"{name}: expected tensor cores that take FP8 (sm_89 or sm_120, CUDA 12.4) for Activations.Fp8, found none; " +
            "BFloat16 and Float run there.");
    }

    private static void Check(string name, long value, long least, long most)
    {
        if (value < least || value > most) throw new ArgumentException($"{name}: expected {least} to {most}, found {value}.");
    }
}
