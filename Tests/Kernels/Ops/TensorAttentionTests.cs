using Quilt.Formats.Numerics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Tests.Kernels.Ops;

/// <summary>
/// Attention on tensor cores, on the stand-in that computes those lane by lane, and on a GPU where there is one. Sizes are small, because the
/// stand-in is slow. Values are between −2 and 2.
/// </summary>
[TestFixtureSource(typeof(Target), nameof(Target.TensorCores))]
[Category("Gpu")]
public sealed class TensorAttentionTests(Target target) : OpTests(target)
{
    /// <summary>
    /// Queries and probabilities as two bfloat16 have 16 bits of mantissa. A score, here of a few units, is off by a few 2^-17; as much are
    /// probabilities, and their sum of values.
    /// </summary>
    internal const float AsGoodAsFloat32 = 2e-5f;

    [TestCase(64, 1, 1)]
    [TestCase(64, 3, 15)]
    [TestCase(64, 6, 16)]
    [TestCase(64, 8, 17)]
    [TestCase(64, 20, 40)]
    [TestCase(128, 1, 17)]
    [TestCase(128, 6, 1)]
    [TestCase(128, 6, 33)]
    [TestCase(128, 20, 16)]
    public void Matches_the_reference_at_the_last_token(int headDim, int share, int context) =>
        Check([context], 2 * share, 2, headDim, 16, [context - 1], [0]);

    [TestCase(64, 3, 257)]
    [TestCase(64, 20, 257)]
    [TestCase(64, 1, 513)]
    [TestCase(128, 6, 300)]
    public void A_long_context_is_cut_into_spans(int headDim, int share, int context) => Check([context], share, 1, headDim, 16, [context - 1], [0]);

    [Test]
    public void Spans_grow_with_the_context_so_that_a_row_has_no_more_than_32()
    {
        foreach (var seen in new[] { 1, 256, 257, 8192, 8193, 16384, 16385, 100_000, 1 << 20 })
        {
            var span = TensorSizes.SpanTokens(seen);
            Assert.That(span % 256, Is.Zero);
            Assert.That((seen + span - 1) / span, Is.InRange(1, Math.Min(32, PagedAttentionOp.SpansFor(seen - 1))), $"{seen}");
            Assert.That(span == 256 || seen > 16 * span, Is.True, $"{seen}: no longer than it must be");
        }
    }

    [Test]
    public void A_block_is_found_without_a_division([Values(1, 2, 3, 16, 24, 48, 300, 1023, 1024)] int blockTokens)
    {
        var sizes = default(TensorSizes);
        sizes.SetBlocks(blockTokens);
        var most = TensorSizes.MostPositions(blockTokens) - 1;
        foreach (var block in new[] { 0, 1, 2, 1000, most / blockTokens / 3, (most / blockTokens) - 1 })
        {
            foreach (var position in new[] { block * blockTokens, ((block + 1) * blockTokens) - 1 })
                Assert.That(sizes.Block(position), Is.EqualTo(block), $"{position}");
        }
        Assert.That(sizes.Block(most), Is.EqualTo(most / blockTokens));
    }

    [TestCase(3, 20, 64)]
    [TestCase(3, 20, 128)]
    [TestCase(24, 25, 64)]
    [TestCase(48, 60, 64)]
    [TestCase(64, 70, 64)]
    [TestCase(300, 33, 64)]
    public void Matches_the_reference_for_any_size_of_block(int blockTokens, int context, int headDim) =>
        Check([5, context], 4, 2, headDim, blockTokens, [4, context - 1], [0, 1]);

    [TestCase(1, 64, 20)]
    [TestCase(3, 64, 35)]
    [TestCase(6, 64, 17)]
    [TestCase(20, 64, 18)]
    [TestCase(6, 128, 19)]
    public void Matches_the_reference_for_a_whole_prompt(int share, int headDim, int tokens) =>
        Check([tokens], share, 1, headDim, 16, [.. Enumerable.Range(0, tokens)], new int[tokens]);

    [Test]
    public void Prompts_and_single_tokens_go_together([Values(16, 24)] int blockTokens)
    {
        // Two prompts that share a tile, tokens alone, and the rest of a prompt.
        int[] lengths = [18, 21, 40, 7, 50];
        int[] positions = [.. Enumerable.Range(0, 18), .. Enumerable.Range(0, 21), 39, 6, .. Enumerable.Range(30, 20)];
        int[] sequences = [.. Enumerable.Repeat(0, 18), .. Enumerable.Repeat(1, 21), 2, 3, .. Enumerable.Repeat(4, 20)];
        Check(lengths, 3, 1, 64, blockTokens, positions, sequences);
    }

    [TestCase(1)]
    [TestCase(10)]
    [TestCase(17)]
    public void A_window_hides_what_lies_before_it(int window)
    {
        int[] positions = [0, 20, 39, 300, .. Enumerable.Range(10, 20)], sequences = [0, 0, 0, 1, .. Enumerable.Repeat(1, 20)];
        Check([40, 301], 3, 1, 64, 16, positions, sequences, window);
    }

    [Test]
    public void A_long_window_is_cut_into_spans_where_it_begins() => Check([700], 2, 1, 64, 16, [260, 599, 699], [0, 0, 0], window: 300);

    [TestCase(7, -30, int.MaxValue)]
    [TestCase(270, 4, int.MaxValue)]
    [TestCase(270, 60, 50)]
    public void A_sink_takes_its_share_and_gives_nothing(int context, int sink, int window)
    {
        using var sinks = Buffer(sink, -sink, 1, sink, -2, 0.5f);
        Check([context], 6, 2, 64, 16, [context / 2, context - 1], [0, 0], window, sinks);
    }

    [Test]
    public void A_huge_score_takes_all_and_nothing_overflows()
    {
        using var scene = new AttentionScene(Ops, [40], 2, 1, 64, 16, KvType.BFloat16);
        var q = Random(1, 128, seed: 1, scale: 1e6f);
        AssertClose(scene.Attend(Ops, q, [39], [0]), scene.Expected(Ops, q, [39], [0]), 1e-5f);
    }

    [Test]
    public void A_row_has_the_same_bits_whatever_else_is_in_the_step()
    {
        int[] lengths = [20, 270, 18, 40];
        using var scene = new AttentionScene(Ops, lengths, 3, 1, 64, 16, KvType.BFloat16);
        int[] positions = [.. Enumerable.Range(0, 20), 269, .. Enumerable.Range(0, 18), 16, 17, 18],
            sequences = [.. Enumerable.Repeat(0, 20), 1, .. Enumerable.Repeat(2, 18), 3, 3, 3];
        var q = Random(positions.Length, 3 * 64, seed: 3, scale: 3);
        var whole = scene.Attend(Ops, q, positions, sequences);
        Same(0, 20, "a prompt alone");
        Same(20, 1, "a token alone");
        Same(21, 18, "another prompt");
        for (var t = 39; t < 42; t++) Same(t, 1, "one token of few");

        void Same(int first, int count, string what) => AssertSameBits(
            scene.Attend(Ops, q.Slice(first, count), positions[first..(first + count)], sequences[first..(first + count)]).Values,
                whole.Slice(first, count).Values, what);
    }

    [Test]
    public void With_bfloat16_input_a_prompt_s_queries_and_probabilities_are_rounded([Values(64, 128)] int headDim)
    {
        using var ops = new OpStream(Target.Open(), Activations.BFloat16);
        using var scene = new AttentionScene(Ops, [19], 3, 1, headDim, 16, KvType.BFloat16);
        var (positions, sequences) = (Enumerable.Range(0, 19).ToArray(), new int[19]);
        var q = Random(19, 3 * headDim, seed: 1, scale: 3);
        var y = scene.Attend(ops, q, positions, sequences);
        // Queries are rounded when they have been multiplied with scale · log2(e).
        foreach (ref var value in q.Values) value = BFloat16.Round(value * (1 / MathF.Sqrt(headDim)) * 1.44269504f);
        // A probability is then off by 2^-9 of itself at most, and all of them together by that of the largest value.
        AssertClose(y, scene.Expected(Ops, q, positions, sequences, scale: 0.693147181f), 2.02f / 512);
        AssertClose(scene.Attend(ops, q.Slice(18, 1), [18], [0], scale: 0.693147181f),
            scene.Expected(Ops, q.Slice(18, 1), [18], [0], scale: 0.693147181f), AsGoodAsFloat32);
    }

    private void Check(
        int[] lengths, int heads, int kvHeads, int headDim, int blockTokens, int[] positions, int[] sequences, int window = int.MaxValue,
            NativeBuffer? sinks = null)
    {
        using var scene = new AttentionScene(Ops, lengths, heads, kvHeads, headDim, blockTokens, KvType.BFloat16);
        Assert.That(PagedAttentionOp.SuitsTensorCores(Ops.Gpu!.Device, scene.Kv), Is.True, "else the kernel for every device would be tested");
        var q = Random(positions.Length, heads * headDim, seed: 1, scale: 3);
        var y = scene.Attend(Ops, q, positions, sequences, window, sinks);
        AssertClose(y, scene.Expected(Ops, q, positions, sequences, window, sinks), AsGoodAsFloat32);
    }
}
