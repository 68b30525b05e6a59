using Quilt.Formats;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;
using Quilt.Runtime.Models;
using Quilt.Runtime.Scheduling;

namespace Quilt.Runtime.Execution;

/// <summary>
/// The residual streams of some prompts on their way through a decoder, one part of it after another: [tokens, model] float32, prompt behind prompt.
/// Weights are the caller's, who need not have more than one part at a time. The numbers are, to the bit, those of a whole decoder.
/// </summary>
/// <remarks>Tokens go through a part in chunks of <see cref="EngineOptions.BatchedTokens"/>, whichever prompts they are of.</remarks>
internal sealed unsafe class PromptStreams : IDisposable
{
    private readonly DecoderSpec spec;
    private readonly EngineOptions options;
    private readonly Device device;
    private readonly OpStream ops;
    private readonly RopeTable rope;
    private readonly ExpertPlan experts = new();
    private readonly StepPlan plan = new();
    private readonly NativeBuffer stream;
    private readonly Sequence[] sequences;
    private readonly int blocks;

    /// <summary>Streams of prompts before the embedding, on a device whose owner they are not.</summary>
    /// <exception cref="BadInputException">There is no prompt; one is empty, too long, or not of the vocabulary.</exception>
    public PromptStreams(DecoderSpec spec, Device device, EngineOptions options, IReadOnlyList<IReadOnlyList<int>> prompts)
    {
        (this.spec, this.device, this.options) = (spec, device, options);
        if (prompts.Count == 0) throw new BadInputException("prompt", null, "expected at least one, found none");
        foreach (var prompt in prompts) Check(prompt);
        Tokens = checked(prompts.Sum(prompt => prompt.Count));
        sequences = new Sequence[prompts.Count];
        for (var i = 0; i < sequences.Length; i++)
        {
            sequences[i] = new Sequence(prompts[i]);
            var count = (prompts[i].Count + options.BlockTokens - 1) / options.BlockTokens;
            sequences[i].BlockTable.AddRange(Enumerable.Range(blocks, count));
            blocks += count;
        }
        stream = new NativeBuffer((long)Tokens * spec.Hidden * sizeof(float));
        ops = new OpStream(device, options.Activations);
        rope = RopeFrequencies.Table(spec.Attention.Rope, spec.Attention.MaxPositions);
    }

    /// <summary>Tokens of all prompts.</summary>
    public int Tokens { get; }

    /// <summary>The streams as they are now: [tokens, model] in the host's memory, those of the prompts one behind the other.</summary>
    public Matrix Rows => RowsOf(0, Tokens);

    /// <summary>Fills the streams with what enters layer 0.</summary>
    public void Embed(Weight embedding, StepObserver? observer = null)
    {
        foreach (var (first, count) in Chunks())
        {
            var inputs = Begin(first, count, observer);
            var x = ops.Scratch(count, spec.Hidden);
            ops.Embed(inputs.Tokens, embedding, into: x);
            observer?.Embedded(ops, x);
            ops.ToHost(x).Values.CopyTo(RowsOf(first, count).Values);
        }
    }

    /// <summary>Takes the streams through a layer.</summary>
    /// <param name="layer">Its weights.</param>
    /// <param name="index">Which layer it is, for the observer.</param>
    /// <param name="observer">Who watches; null: nobody.</param>
    public void Forward(DecoderLayer layer, int index, StepObserver? observer = null)
    {
        using var kv = NewCache(layer);
        foreach (var (first, count) in Chunks())
        {
            var inputs = Begin(first, count, observer);
            var rows = RowsOf(first, count);
            var x = ops.ToDevice(rows);
            layer.Forward(new LayerPass(inputs, ops, rope, experts, observer), kv, x);
            observer?.Layer(ops, index, x, layer.Experts is null ? null : experts);
            if (x.IsOnDevice) ops.ToHost(x).Values.CopyTo(rows.Values);
        }
    }

    /// <summary>
    /// Takes the streams through a layer but for its routed experts: attention, and the dense part where there is one.
    /// </summary>
    /// <param name="layer">Its weights.</param>
    /// <param name="into">[tokens, model] what its feed-forward reads, in the host's memory.</param>
    public void ForwardWithoutExperts(DecoderLayer layer, Span<float> into)
    {
        using var kv = NewCache(layer);
        foreach (var (first, count) in Chunks())
        {
            var inputs = Begin(first, count, null);
            var rows = RowsOf(first, count);
            var x = ops.ToDevice(rows);
            var h = ops.Scratch(count, spec.Hidden);
            var pass = new LayerPass(inputs, ops, rope, experts, null);
            layer.AttendInto(pass, kv, x, h);
            layer.AddDense(pass, x, h);
            if (x.IsOnDevice) ops.ToHost(x).Values.CopyTo(rows.Values);
            ops.ToHost(h).Values.CopyTo(into.Slice(first * spec.Hidden, count * spec.Hidden));
        }
    }

    /// <summary>
    /// What a layer's router would choose if the layer were given these streams, which stay as they are: its attention runs, its experts do not.
    /// </summary>
    /// <param name="layer">A layer with a router, of this decoder or of another with the same sizes.</param>
    /// <param name="choices">Takes the choices.</param>
    public void Route(DecoderLayer layer, RouterChoices choices)
    {
        using var kv = NewCache(layer);
        foreach (var (first, count) in Chunks())
        {
            var inputs = Begin(first, count, choices);
            var rows = ops.ToDevice(RowsOf(first, count));
            var x = rows.IsOnDevice ? rows : ops.Scratch(count, spec.Hidden);
            if (!rows.IsOnDevice) rows.Values.CopyTo(x.Values);
            layer.Route(new LayerPass(inputs, ops, rope, experts, null), kv, x);
            choices.Take(ops, experts);
        }
    }

    /// <summary>
    /// Logits [count, vocabulary] after the tokens from <paramref name="first"/> on, in the host's memory, valid until the next call here.
    /// </summary>
    public Matrix Logits(int first, int count, NativeBuffer norm, Weight head)
    {
        ops.Reset();
        var x = ops.Scratch(count, spec.Hidden);
        ops.RmsNorm(ops.ToDevice(RowsOf(first, count)), norm, spec.NormEpsilon, into: x);
        var logits = ops.Scratch(count, spec.VocabularySize);
        head.MatMul(ops, x, logits);
        return ops.ToHost(logits);
    }

    /// <summary>The tokens cut into chunks of at most <paramref name="most"/>; 0: of as many as a step takes.</summary>
    public IEnumerable<(int First, int Count)> Chunks(int most = 0)
    {
        most = most == 0 ? options.BatchedTokens : most;
        for (var first = 0; first < Tokens; first += most) yield return (first, Math.Min(most, Tokens - first));
    }

    public void Dispose()
    {
        stream.Dispose();
        experts.Dispose();
        rope.Dispose();
        ops.Dispose();
    }

    // The keys and values of all prompts in one layer.
    private KvLayer NewCache(DecoderLayer layer) => new(blocks, options.BlockTokens, spec.Attention.KeyValueHeads, spec.Attention.HeadDim,
        options.KvType ?? KvType.Float32, device, layer.CacheScales);

    // A step of the rows from `first` on, which may belong to several prompts.
    private StepInputs Begin(int first, int count, StepObserver? observer)
    {
        ops.Reset();
        plan.TryReset();
        var start = 0;
        foreach (var sequence in sequences)
        {
            var (from, to) = (Math.Max(first, start), Math.Min(first + count, start + sequence.Tokens.Count));
            if (from < to)
            {
                sequence.Computed = from - start;
                plan.Add(sequence, to - from, options.BlockTokens, LogitsOf.EveryToken);
            }
            start += sequence.Tokens.Count;
        }
        observer?.Begin(first);
        var inputs = new StepInputs(plan, ops);
        ops.Reach(rope, plan.LastPosition);
        return inputs;
    }

    private Matrix RowsOf(int first, int count) => new((float*)stream.Data + ((long)first * spec.Hidden), count, spec.Hidden);

    private void Check(IReadOnlyList<int> tokens)
    {
        if (tokens.Count == 0 || tokens.Count > spec.Attention.MaxPositions)
            throw new BadInputException("prompt", null, $"expected 1 to {spec.Attention.MaxPositions} tokens, found {tokens.Count}");
        foreach (var id in tokens)
        {
            if ((uint)id >= (uint)spec.VocabularySize)
                throw new BadInputException("prompt", null, $"expected token ids from 0 to {spec.VocabularySize - 1}, found {id}");
        }
    }
}
