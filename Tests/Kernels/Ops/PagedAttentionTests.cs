using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Tests.Kernels.Ops;

[TestFixtureSource(typeof(Target), nameof(Target.All))]
public sealed class PagedAttentionTests(Target target) : OpTests(target)
{
    private const float Exact = 5e-6f;

    [Test]
    public void Matches_the_reference_at_the_last_token(
        [Values(16, 44, 64, 128)] int headDim, [Values(1, 3, 6)] int share, [Values(1, 15, 16, 17, 256, 257, 1100)] int context, [Values] KvType type)
    {
        using var scene = new AttentionScene(Ops, [context], 2 * share, 2, headDim, blockTokens: 16, type);
        var q = Random(1, 2 * share * headDim, seed: 1, scale: 3);
        AssertClose(scene.Attend(Ops, q, [context - 1], [0]), scene.Expected(Ops, q, [context - 1], [0]), Within(headDim, type));
    }

    [Test]
    public void Matches_the_reference_for_any_size_of_block([Values(1, 3, 8, 16, 24, 64, 300)] int blockTokens, [Values(1, 20, 301)] int context)
    {
        using var scene = new AttentionScene(Ops, [5, context], 4, 2, 32, blockTokens, KvType.Float32);
        var q = Random(2, 4 * 32, seed: 1, scale: 3);
        AssertClose(scene.Attend(Ops, q, [4, context - 1], [0, 1]), scene.Expected(Ops, q, [4, context - 1], [0, 1]), Exact);
    }

    [Test]
    public void Matches_the_reference_for_a_whole_prompt([Values(1, 6, 40)] int share, [Values(7, 70, 290)] int tokens)
    {
        using var scene = new AttentionScene(Ops, [tokens], share, 1, 16, blockTokens: 16, KvType.Float32);
        var q = Random(tokens, share * 16, seed: 1, scale: 3);
        var positions = Enumerable.Range(0, tokens).ToArray();
        AssertClose(scene.Attend(Ops, q, positions, new int[tokens]), scene.Expected(Ops, q, positions, new int[tokens]), Exact);
    }

    [Test]
    public void A_window_hides_what_lies_before_it([Values(1, 16, 100, 256, 300, 5000)] int window, [Values(1, 3)] int share, [Values] KvType type)
    {
        using var scene = new AttentionScene(Ops, [40, 1100], 2 * share, 2, 32, blockTokens: 16, type);
        int[] positions = [0, 20, 39, 0, 99, 255, 256, 257, 600, 1099], sequences = [0, 0, 0, 1, 1, 1, 1, 1, 1, 1];
        var q = Random(positions.Length, 2 * share * 32, seed: 1, scale: 3);
        var y = scene.Attend(Ops, q, positions, sequences, window);
        AssertClose(y, scene.Expected(Ops, q, positions, sequences, window), Exact);
        for (var t = 0; t < positions.Length; t++)
        {
            AssertSameBits(scene.Attend(Alone, q.Slice(t, 1), [positions[t]], [sequences[t]], window).Values, y.Row(t),
                $"position {positions[t]} alone");
        }
    }

    [Test]
    public void A_sink_takes_its_share_and_gives_nothing([Values(7, 256, 1100)] int context, [Values(-30, 0, 4, 60)] int sink,
        [Values(50, int.MaxValue)] int window)
    {
        using var scene = new AttentionScene(Ops, [context], 6, 2, 32, blockTokens: 16, KvType.Float32);
        using var sinks = Buffer(sink, -sink, 1, sink, -2, 0.5f);
        int[] positions = [context / 2, context - 1];
        var q = Random(2, 6 * 32, seed: 1, scale: 3);
        var y = scene.Attend(Ops, q, positions, [0, 0], window, sinks);
        AssertClose(y, scene.Expected(Ops, q, positions, [0, 0], window, sinks), Exact);
        AssertSameBits(scene.Attend(Alone, q.Slice(1, 1), [context - 1], [0], window, sinks).Values, y.Row(1), "alone");
    }

    [Test]
    public void A_row_has_the_same_bits_alone_in_a_batch_and_in_a_prompt_cut_anywhere(
        [Values(16, 24)] int blockTokens, [Values(1, 6)] int share, [Values] KvType type)
    {
        int[] lengths = [290, 1, 33, 20];
        using var scene = new AttentionScene(Ops, lengths, 2 * share, 2, 44, blockTokens, type);
        var positions = lengths.SelectMany(n => Enumerable.Range(0, n)).ToArray();
        var sequences = lengths.SelectMany((n, s) => Enumerable.Repeat(s, n)).ToArray();
        var q = Random(positions.Length, 2 * share * 44, seed: 3, scale: 3);
        var whole = scene.Attend(Ops, q, positions, sequences);
        AssertSameBits(scene.Attend(Alone, q, positions, sequences).Values, whole.Values, "on one thread");

        for (var t = 0; t < q.Rows; t += 11)
        {
            var alone = scene.Attend(t % 2 == 0 ? Ops : Alone, q.Slice(t, 1), [positions[t]], [sequences[t]]);
            AssertSameBits(alone.Values, whole.Row(t), $"token {t} alone");
        }
        foreach (var chunk in new[] { 1, 7, 16, 50 })
        {
            for (var t = 250; t < 300; t += chunk)
            {
                var end = Math.Min(300, t + chunk);
                var part = scene.Attend(Ops, q.Slice(t, end - t), positions[t..end], sequences[t..end]);
                AssertSameBits(part.Values, whole.Slice(t, end - t).Values, $"chunk of {chunk} at {t}");
            }
        }
    }

    [Test]
    public void Sequences_of_very_different_length_in_one_step_have_the_bits_of_each_alone(
        [Values(1, 6)] int share, [Values(400, int.MaxValue)] int window, [Values] KvType type)
    {
        NotOnGpu("A stand-in would need minutes.");
        int[] lengths = [5000, 1, 17, 1023, 1024, 1025, 4097, 300, 2, 3000];
        using var scene = new AttentionScene(Ops, lengths, 2 * share, 2, 32, blockTokens: 16, type);
        var q = Random(lengths.Length, 2 * share * 32, seed: 3, scale: 3);
        var (positions, sequences) = (lengths.Select(n => n - 1).ToArray(), Enumerable.Range(0, lengths.Length).ToArray());
        var together = scene.Attend(Ops, q, positions, sequences, window);
        AssertClose(together, scene.Expected(Ops, q, positions, sequences, window), Exact);
        for (var t = 0; t < lengths.Length; t++)
        {
            foreach (var ops in new[] { Alone, Ops })
            {
                AssertSameBits(scene.Attend(ops, q.Slice(t, 1), [positions[t]], [t], window).Values, together.Row(t),
                    $"{lengths[t]} tokens, {ops.Device.Pool.Threads} threads");
            }
        }
    }

    [Test]
    public void Wherever_threads_cut_a_long_context_the_bits_are_the_same(
        [Values(2, 5, 16)] int threads, [Values(1024, 1025, 2300, 5000)] int context, [Values(700, int.MaxValue)] int window)
    {
        NotOnGpu("A GPU has no threads to count.");
        if (Ops.Device.Isa == Isa.Reference) Assert.Ignore("The reference has one thread.");
        using var scene = new AttentionScene(Ops, [context, 20], 6, 2, 44, blockTokens: 24, KvType.BFloat16);
        using var sinks = Buffer(1, -1, 1, 0, -2, 0.5f);
        // The end of a prompt, whose rows do not all begin in the same stretch of a window, and a short neighbour.
        var positions = Enumerable.Range(context - 11, 11).Append(19).ToArray();
        var sequences = positions.Select((_, t) => t < 11 ? 0 : 1).ToArray();
        var q = Random(positions.Length, 6 * 44, seed: 3, scale: 3);
        using var device = new CpuDevice(Ops.Device.Isa, threads);
        using var many = new OpStream(device);
        var y = scene.Attend(many, q, positions, sequences, window, sinks);
        AssertClose(y, scene.Expected(Ops, q, positions, sequences, window, sinks), Exact);
        AssertSameBits(y.Values, scene.Attend(Alone, q, positions, sequences, window, sinks).Values, $"{threads} threads");
    }

    [Test]
    public void Matches_the_reference_for_any_number_of_heads_a_key_head_serves(
        [Values(2, 4, 5, 7, 8, 9, 11, 16, 17)] int share, [Values(16, 48, 80, 112)] int headDim)
    {
        using var scene = new AttentionScene(Ops, [77], 2 * share, 2, headDim, blockTokens: 16, KvType.BFloat16);
        var q = Random(3, 2 * share * headDim, seed: 1, scale: 3);
        int[] positions = [30, 75, 76], sequences = [0, 0, 0];
        AssertClose(scene.Attend(Ops, q, positions, sequences), scene.Expected(Ops, q, positions, sequences), Exact);
    }

    [Test]
    public void Every_vector_width_gives_the_same_bits([Values(KvType.BFloat16, KvType.Fp8)] KvType type)
    {
        NotOnGpu("A GPU has other widths.");
        if (Ops.Device.Isa == Isa.Reference) Assert.Ignore("The reference sums in double.");
        using var scene = new AttentionScene(Ops, [300], 6, 2, 44, 16, type);
        var q = Random(300, 6 * 44, seed: 3, scale: 3);
        var positions = Enumerable.Range(0, 300).ToArray();
        using var device = new CpuDevice(Isa.Neon, 1);
        using var narrow = new OpStream(device);
        AssertSameBits(scene.Attend(Ops, q, positions, new int[300]).Values, scene.Attend(narrow, q, positions, new int[300]).Values);
    }

    [Test]
    public void A_huge_score_takes_all_and_nothing_overflows()
    {
        using var scene = new AttentionScene(Ops, [40], 2, 1, 16, 16, KvType.Float32);
        var q = Random(1, 32, seed: 1, scale: 1e6f);
        var y = scene.Attend(Ops, q, [39], [0]);
        AssertClose(y, scene.Expected(Ops, q, [39], [0]), 1e-5f);
    }

    [Test]
    public void Allocates_nothing([Values(KvType.BFloat16, KvType.Fp8)] KvType type, [Values(600, 3000)] int context)
    {
        NeedsSilentLaunches();
        if (Ops.Device.Isa == Isa.Reference) Assert.Ignore("The reference may allocate.");
        using var scene = new AttentionScene(Ops, [context], 12, 2, 64, 16, type);
        var q = On(Random(1, 12 * 64, seed: 1));
        var y = Ops.Scratch(1, 12 * 64);
        int[] position = [context - 1], start = [0];
        Assert.That(Allocated(() => Ops.PagedAttention(q, 12, scene.Kv, position, start, scene.Tables, 0.1f, y)), Is.Zero);
    }

    private float Within(int headDim, KvType type) =>
        Target.HasTensorCores && PagedAttentionOp.HasTensorKernel(headDim, type) ? TensorAttentionTests.AsGoodAsFloat32 : Exact;
}
