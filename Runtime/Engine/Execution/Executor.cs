using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;

namespace Quilt.Runtime.Execution;

/// <summary>
/// Runs steps on one device: a plan goes in, tokens or rows of logits come out. Owns the order of work there, the cache of keys and values, and
/// the choice of tokens where the logits lie; not the decoder. Used by one thread.
/// </summary>
/// <remarks>
/// On a GPU a decoding step is recorded as a CUDA graph when its shape comes again (<see cref="GpuRecordings"/>), and what comes back of its
/// logits is what the requests need to choose (<see cref="DeviceChoice"/>).
/// </remarks>
internal sealed class Executor : IExecutor
{
    private readonly Decoder decoder;
    private readonly Device device;
    private readonly OpStream ops;
    private readonly StepChoice chosen;
    private readonly DeviceChoice? choice;
    private readonly string? unrecorded;
    private readonly string? attention;
    private Matrix logits;

    /// <summary>An executor of a decoder whose weights lie on <paramref name="device"/>.</summary>
    /// <param name="decoder">The forward pass.</param>
    /// <param name="device">Where it runs.</param>
    /// <param name="cache">How keys and values are kept.</param>
    /// <param name="activations">In what precision quantized weights meet their input.</param>
    /// <param name="scratch">Bytes of a GPU's memory to take at once for the matrices of a step; 0: as steps need them.</param>
    public Executor(Decoder decoder, Device device, KvLayout cache, Activations activations = Activations.Float, long scratch = 0)
    {
        (this.decoder, this.device) = (decoder, device);
        chosen = new StepChoice(device);
        Cache = NewCache(cache);
        try
        {
            ops = new OpStream(device, activations);
            if (ops.Gpu is null) return;
            ops.Gpu.Scratch.Reserve(scratch);
            choice = new DeviceChoice(decoder.Spec.VocabularySize);
            unrecorded = GpuRecordings.WhyNot((GpuDevice)device);
            attention = PlainProducts.AttentionWarning((GpuDevice)device, decoder.Spec, cache.Type);
        }
        catch
        {
            ops?.Dispose();
            Cache.Dispose();
            throw;
        }
    }

    /// <summary>What the decoder is.</summary>
    public DecoderSpec Spec => decoder.Spec;

    /// <summary>Where it runs.</summary>
    public Device Device => device;

    /// <summary>The keys and values of all sequences.</summary>
    public KvStore Cache { get; }

    /// <summary>Who takes the times of steps on a CPU; null: nobody.</summary>
    public StepProfile? Profile { get => ops.Profile; set => ops.Profile = value; }

    /// <summary>Another cache for the same decoder.</summary>
    public KvStore NewCache(KvLayout layout) => new(decoder.Spec, layout, device, decoder.Weights);

    /// <summary>Distinct experts that the last step read, summed over layers; 0 on a GPU, which does not tell.</summary>
    public int ExpertsRead => decoder.ExpertsRead;

    /// <summary>Bytes of a GPU's memory that the matrices of a step have.</summary>
    public long ScratchBytes => ops.Gpu?.Scratch.Bytes ?? 0;

    /// <summary>What makes steps slower than they should be, so far.</summary>
    public IEnumerable<string> Warnings
    {
        get
        {
            if (attention is not null) yield return $"{device.Name}: {attention}";
            if (unrecorded is not null) yield return $"{device.Name}: steps are not recorded, which is slower: {unrecorded}";
            if (ops.Gpu?.Recordings?.Failure is { } why) yield return $"{device.Name}: steps are no longer recorded, which is slower: {why}";
        }
    }

    /// <summary>
    /// Runs a step. Afterwards <see cref="Choose"/> finds the next token of every sequence that has a row of logits; each of these has
    /// <see cref="Sequence.Sampling"/> of its own.
    /// </summary>
    public void Run(StepPlan plan)
    {
        ops.Reset();
        var inputs = new StepInputs(plan, ops);
        // What the choice reads goes over with the step's other integers, behind them.
        choice?.Begin(plan, ops);
        logits = Forward(plan, inputs);
        choice?.Run(ops, logits);
    }

    /// <summary>A row of the last step's logits, before a token is chosen from it; valid until the next call.</summary>
    public ReadOnlySpan<float> Row(int row) => choice is null ? logits.Row(row) : ops.ToHost(logits.Slice(row, 1)).Values;

    /// <summary>Chooses the next tokens of all sequences that have a row of the last step's logits, and takes note of them.</summary>
    /// <param name="plan">The step that was run.</param>
    public void Choose(StepPlan plan)
    {
        using var watch = ops.Watch(StepPart.Choose);
        chosen.Run(plan, logits, ops, choice);
    }

    /// <summary>The token that was chosen for a sequence.</summary>
    /// <exception cref="Exception">What the choice threw: its request's own affair, unless the device failed.</exception>
    public TokenChoice Chosen(in SequenceChunk chunk) => chosen.Of(chunk);

    /// <summary>Runs a step and returns its logits [rows asked for, vocabulary] in the host's memory, valid until the next step.</summary>
    /// <param name="plan">The step.</param>
    /// <param name="cache">The cache it uses; null: the executor's own.</param>
    /// <param name="observer">Who watches; null: nobody.</param>
    public Matrix Rows(StepPlan plan, KvStore? cache = null, StepObserver? observer = null)
    {
        ops.Reset();
        var inputs = new StepInputs(plan, ops);
        decoder.Reach(ops, plan.LastPosition);
        return ops.ToHost(decoder.Forward(inputs, cache ?? Cache, ops, observer));
    }

    public void Dispose()
    {
        ops.Dispose();
        Cache.Dispose();
    }

    private Matrix Forward(StepPlan plan, in StepInputs inputs)
    {
        decoder.Reach(ops, plan.LastPosition);
        if (!plan.IsDecoding || ops.Gpu?.Recordings is not { } graphs) return decoder.Forward(inputs, Cache, ops);

        var shape = new StepShape(plan.Tokens.Length, PagedAttentionOp.SpansFor(plan.LastPosition), Cache);
        if (graphs.TryRun(shape, out var replayed)) return replayed;
        graphs.Begin(shape);
        try
        {
            var result = decoder.Forward(inputs, Cache, ops);
            if (graphs.TryEnd(result)) return result;
        }
        catch
        {
            graphs.Abandon();
            throw;
        }
        return decoder.Forward(inputs, Cache, ops);
    }
}
