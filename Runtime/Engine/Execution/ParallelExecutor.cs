using Quilt.Kernels.Devices;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;

namespace Quilt.Runtime.Execution;

/// <summary>
/// Runs steps on several devices in lock step, each with its share of every layer, of the cache and of the vocabulary (docs/tensor-parallel.md): the
/// forward pass is that of one device, which is tied to the others where sums go over all of them (<see cref="DeviceLink"/>).
/// </summary>
/// <remarks>
/// Sums go through the host's memory, so that nothing can be recorded on a GPU, and tokens are chosen on the host.
/// </remarks>
internal sealed class ParallelExecutor : IExecutor
{
    private readonly DecoderSpec spec;
    private readonly Activations activations;
    private readonly ModelShare[] shares;
    private readonly Part[] vocabulary;
    private readonly Rank[] ranks;
    private readonly LockStep threads;
    private readonly DeviceExchange exchange;
    private readonly StepChoice chosen;
    private StepPlan plan = null!;
    private KvStore cache = null!;
    private StepObserver? observer;
    private Matrix logits;

    /// <summary>An executor of a decoder whose weights are cut over the devices of <paramref name="shares"/>.</summary>
    /// <param name="spec">What the decoder is, all of it.</param>
    /// <param name="shares">What each device holds.</param>
    /// <param name="layout">How keys and values are kept; every device has as many blocks.</param>
    /// <param name="activations">In what precision quantized weights meet their input.</param>
    /// <param name="scratch">[devices] bytes of a GPU's memory to take at once for the matrices of a step; null: as steps need them.</param>
    public ParallelExecutor(DecoderSpec spec, ModelShare[] shares, KvLayout layout, Activations activations, long[]? scratch = null)
    {
        (this.spec, this.shares, this.activations) = (spec, shares, activations);
        vocabulary = Array.ConvertAll(shares, share => share.Share.Vocabulary(spec.VocabularySize));
        ranks = new Rank[shares.Length];
        chosen = new StepChoice(shares[0].Device);
        threads = new LockStep(shares.Length, Step, index => (shares[index].Device as CpuDevice)?.Pool.Plan?.Pin(0));
        exchange = new DeviceExchange(threads);
        try
        {
            for (var i = 0; i < ranks.Length; i++)
            {
                ranks[i] = new Rank(new OpStream(shares[i].Device, activations), new DeviceLink(exchange, shares[i].Share, spec, shares[i].Device));
                if (scratch is not null) ranks[i].Ops.Gpu?.Scratch.Reserve(scratch[i]);
            }
            Cache = NewCache(layout);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public DecoderSpec Spec => spec;

    public Device Device => shares[0].Device;

    public KvStore Cache { get; } = null!;

    public int ExpertsRead => shares[0].Decoder.ExpertsRead;

    public StepProfile? Profile { get => ranks[0].Ops.Profile; set => ranks[0].Ops.Profile = value; }

    public IEnumerable<string> Warnings
    {
        get
        {
            if (Device is GpuDevice)
                yield return $"{shares.Length} devices: sums between them go through the host's memory, and steps are not recorded, which is slower";
        }
    }

    public KvStore NewCache(KvLayout layout)
    {
        var stores = new KvStore[shares.Length];
        try
        {
            for (var i = 0; i < stores.Length; i++)
                stores[i] = new KvStore(shares[i].Decoder.Spec, layout, shares[i].Device, shares[i].Decoder.Weights);
        }
        catch
        {
            foreach (var store in stores) store?.Dispose();
            throw;
        }
        stores[0].Beside = stores[1..];
        return stores[0];
    }

    public void Run(StepPlan plan) => logits = Rows(plan);

    public ReadOnlySpan<float> Row(int row) => logits.Row(row);

    public void Choose(StepPlan plan) => chosen.Run(plan, logits, ranks[0].Ops, null);

    public TokenChoice Chosen(in SequenceChunk chunk) => chosen.Of(chunk);

    public Matrix Rows(StepPlan plan, KvStore? cache = null, StepObserver? observer = null)
    {
        (this.plan, this.cache, this.observer) = (plan, cache ?? Cache, observer);
        exchange.Begin(Floats(plan), plan.Tokens, vocabulary);
        threads.Run();
        return ranks[0].Logits;
    }

    public void Dispose()
    {
        threads.Dispose();
        foreach (var rank in ranks) rank?.Dispose();
        exchange.Dispose();
        Cache?.Dispose();
    }

    private long Floats(StepPlan step) =>
        Math.Max(1, Math.Max((long)step.Tokens.Length * spec.Hidden, (long)step.LogitRows.Length * spec.VocabularySize));

    // On each device's own thread.
    private void Step(int index)
    {
        var (rank, decoder) = (ranks[index], shares[index].Decoder);
        if (shares[index].Device is GpuDevice gpu) gpu.Accelerator.Bind();
        rank.Ops.Reset();
        rank.Link.Reserve(Floats(plan));
        var inputs = new StepInputs(plan, rank.Ops, rank.Link.RowsOf(plan.Tokens));
        decoder.Reach(rank.Ops, plan.LastPosition);
        rank.Logits = decoder.Forward(inputs, index == 0 ? cache : cache.Beside[index - 1], rank.Ops, index == 0 ? observer : null, rank.Link);
    }

    private sealed record Rank(OpStream Ops, DeviceLink Link) : IDisposable
    {
        public Matrix Logits { get; set; }

        public void Dispose()
        {
            Ops.Dispose();
            Link.Dispose();
        }
    }
}
