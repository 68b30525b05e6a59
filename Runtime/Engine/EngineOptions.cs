using Quilt.Formats.Chat.Replies;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Runtime;

/// <summary>How an engine runs.</summary>
public sealed record EngineOptions
{
    /// <summary>
    /// Where it runs: <c>cpu</c>, <c>gpu:0</c>, <c>opencl:0</c>, or <c>gpu-emulated</c>, which runs a GPU's kernels on the processor to test them.
    /// <see cref="GpuDevices.List"/> says what there is.
    /// </summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Threads of the CPU, the engine's own included; 0: one per core.</summary>
    public int Threads { get; init; }

    /// <summary>Instruction set of the CPU kernels; null: the widest this machine executes.</summary>
    public Isa? Isa { get; init; }

    /// <summary>Precision of the input of quantized weights.</summary>
    public Activations Activations { get; init; } = Activations.Float;

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
    /// Tokens in a cache block. Attention takes keys in groups of 16, which begin anew in each block: any multiple of 16 gives the same bits, other
    /// sizes differ in the last of them.
    /// </summary>
    public int BlockTokens { get; init; } = 16;

    /// <summary>Most tokens in one step: a longer prompt is read in chunks of this size.</summary>
    public int StepTokens { get; init; } = 512;

    /// <summary>Most sequences that run at the same time; more wait their turn.</summary>
    public int MaxSequences { get; init; } = 64;

    /// <summary>Most requests that wait beside those that run; one more is refused (<see cref="EngineBusyException"/>).</summary>
    public int MaxWaiting { get; init; } = 1024;

    /// <summary>How the model writes its replies, one of <see cref="ReplyParser.Dialects"/>; null: as the text of its chat template tells.</summary>
    public string? ReplyDialect { get; init; }

    /// <summary>Checks ranges.</summary>
    /// <exception cref="ArgumentException">A value is out of its range; the message names it.</exception>
    internal void Validate()
    {
        if (Device != "cpu" && !GpuDevices.IsName(Device))
            throw new ArgumentException($"Device: expected cpu, gpu:N, opencl:N or {GpuDevices.Emulated}, found '{Device}'.");
        Activations[] known = Device == "cpu" ? [Activations.Float, Activations.Int8] : [Activations.Float, Activations.BFloat16, Activations.Fp8];
        if (!known.Contains(Activations))
            throw new ArgumentException($"Activations: expected {string.Join(" or ", known)} on {Device}, found {Activations}.");
        if (Device != "cpu" && Isa is not null) throw new ArgumentException($"Isa: expected none on {Device}, found {Isa}; the choice is the CPU's.");
        if (ReplyDialect is not null && !ReplyParser.Dialects.Contains(ReplyDialect))
            throw new ArgumentException($"ReplyDialect: expected one of {string.Join(", ", ReplyParser.Dialects)}, found '{ReplyDialect}'.");
        Check(nameof(Threads), Threads, 0, 4096);
        Check(nameof(BlockTokens), BlockTokens, 1, 1024);
        Check(nameof(StepTokens), StepTokens, 1, 1 << 16);
        Check(nameof(MaxSequences), MaxSequences, 1, 1 << 16);
        Check(nameof(MaxWaiting), MaxWaiting, 0, 1 << 24);
        Check(nameof(KvMemory), KvMemory ?? 1, 1, long.MaxValue);
    }

    /// <summary>Opens the device.</summary>
    /// <exception cref="NotSupportedException">There is no such device, or it cannot be used; the message says why.</exception>
    internal Device OpenDevice()
    {
        if (Device == "cpu") return new CpuDevice(Isa, Threads);
        var device = GpuDevices.Open(Device, Threads);
        if (Activations != Activations.Fp8 || device.Traits.Fp8) return device;
        device.Dispose();
        throw new NotSupportedException(
            $"{Device}: expected tensor cores that take FP8 (sm_89 or sm_120, CUDA 12.4) for Activations.Fp8, found none; " +
            "BFloat16 and Float run there.");
    }

    private static void Check(string name, long value, long least, long most)
    {
        if (value < least || value > most) throw new ArgumentException($"{name}: expected {least} to {most}, found {value}.");
    }
}
