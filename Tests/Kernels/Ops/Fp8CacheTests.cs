using Quilt.Formats.Numerics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Tests.Kernels.Ops;

/// <summary>What a cache in FP8 keeps: codes, and scales of one row each or of a checkpoint.</summary>
[TestFixtureSource(typeof(Target), nameof(Target.All))]
public sealed class Fp8CacheTests(Target target) : OpTests(target)
{
    private const int HeadDim = 44;

    // Largest magnitude of a row, and the power of two that its scale is.
    [TestCase(448f, 0)]
    [TestCase(448.0001f, 1)]
    [TestCase(225f, 0)]
    [TestCase(224f, -1)]
    [TestCase(1f, -8)]
    [TestCase(1.75f, -8)]
    [TestCase(1.7500001f, -7)]
    [TestCase(0f, -60)]
    [TestCase(1e-30f, -60)]
    [TestCase(3e38f, 60)]
    public void A_scale_is_the_least_power_of_two_that_holds_the_row(float largest, int exponent)
    {
        var row = new float[HeadDim];
        (row[3], row[40]) = (-largest, largest / 3);
        var (keyScale, codes) = Write(row, null);
        Assert.That(keyScale, Is.EqualTo(127 + exponent));
        for (var d = 0; d < HeadDim; d++)
            Assert.That(codes[d], Is.EqualTo(Float8E4M3.Encode((float)(row[d] * Math.Pow(2, -exponent)))), $"[{d}]");
    }

    [Test]
    public void Codes_are_the_nearest_ties_to_even()
    {
        // Every code, what lies half-way to the next, and a little to either side; 448 keeps the scale at 1.
        var numbers = new List<float>();
        for (byte code = 0; code < 0x7E; code++)
        {
            var (low, high) = (Float8E4M3.Decode(code), Float8E4M3.Decode((byte)(code + 1)));
            var middle = (low + high) / 2;
            numbers.AddRange([low, -low, middle, -middle, MathF.BitIncrement(middle), MathF.BitDecrement(middle), -MathF.BitIncrement(middle)]);
        }
        foreach (var part in numbers.Chunk(HeadDim - 1))
        {
            float[] row = [448, .. part, .. new float[HeadDim - 1 - part.Length]];
            var (scale, codes) = Write(row, null);
            Assert.That(scale, Is.EqualTo(127));
            for (var d = 0; d < HeadDim; d++) Assert.That(codes[d], Is.EqualTo(Float8E4M3.Encode(row[d])), $"{row[d]:R}");
        }
    }

    [Test]
    public void What_is_no_finite_number_saturates_or_breaks_its_row()
    {
        var row = new float[HeadDim];
        (row[0], row[1], row[2]) = (float.PositiveInfinity, float.NegativeInfinity, 448);
        var (scale, codes) = Write(row, null);
        Assert.That((scale, codes[0], codes[1], codes[2]), Is.EqualTo((127, (byte)0x7E, (byte)0xFE, (byte)0x7E)));
        row[43] = float.NaN;
        Assert.That(Write(row, null).Scale, Is.EqualTo(Fp8Row.Broken));
        Assert.That(Write(row, new KvScales(2, 2)).Scale, Is.EqualTo(Fp8Row.Broken));
    }

    [Test]
    public void A_broken_key_or_value_leaves_nothing_finite_and_only_those_who_see_it_break([Values] bool key)
    {
        using var kv = new KvLayer(1, 16, 1, 16, KvType.Fp8, Ops.Gpu?.Device);
        var (k, v) = (Random(3, 16, seed: 1), Random(3, 16, seed: 2));
        (key ? k : v).Row(1)[5] = float.NaN;
        Ops.WriteKv(On(k), On(v), kv, new[] { 0, 1, 2 });
        var y = Ops.Scratch(2, 16);
        Ops.PagedAttention(On(Random(2, 16, seed: 3)), 1, kv, new[] { 0, 2 }, new[] { 0, 0 }, new[] { 0 }, 1, y);
        y = Back(y);
        foreach (var x in y.Row(0)) Assert.That(float.IsFinite(x));
        foreach (var x in y.Row(1)) Assert.That(float.IsFinite(x), Is.False);
    }

    [TestCase(0.03125f)]
    [TestCase(0.0123f)]
    [TestCase(17f)]
    public void A_checkpoints_scale_takes_the_place_of_the_rows(float given)
    {
        var row = new float[HeadDim];
        Fill(row, 1, 500 * given);
        var (scale, codes) = Write(row, new KvScales(given, 3));
        Assert.That(scale, Is.EqualTo(Fp8Row.One));
        for (var d = 0; d < HeadDim; d++) Assert.That(codes[d], Is.EqualTo(Float8E4M3.Encode(row[d] / given)), $"[{d}]");
        Assert.That(codes, Does.Contain((byte)0x7E).Or.Contain((byte)0xFE), "something lay beyond 448");
    }

    [Test]
    public void Attention_matches_the_reference_with_a_checkpoints_scales([Values(1, 300)] int context, [Values(64, 44)] int headDim)
    {
        using var scene = new AttentionScene(Ops, [context], 6, 2, headDim, 16, KvType.Fp8, new KvScales(0.0123f, 0.007f));
        var q = Random(1, 6 * headDim, seed: 1, scale: 3);
        AssertClose(scene.Attend(Ops, q, [context - 1], [0]), scene.Expected(Ops, q, [context - 1], [0]), 5e-6f);
    }

    [Test]
    public void Attention_takes_rows_of_any_size_together()
    {
        // Neighbouring tokens whose scales lie thousands apart, and a row that is zero.
        using var kv = new KvLayer(2, 16, 1, 64, KvType.Fp8, Ops.Gpu?.Device);
        using var mirror = new KvLayer(2, 16, 1, 64, KvType.Fp8);
        var (k, v) = (Random(32, 64, seed: 1), Random(32, 64, seed: 2));
        for (var t = 0; t < 32; t++)
        {
            foreach (ref var x in k.Row(t)) x *= MathF.ScaleB(1, (t % 7) - 8);
            foreach (ref var x in v.Row(t)) x *= t == 5 ? 0 : MathF.ScaleB(1, t - 20);
        }
        var slots = Enumerable.Range(0, 32).ToArray();
        Ops.WriteKv(On(k), On(v), kv, slots);
        WriteKvOp.Reference(k, v, mirror, slots);
        var q = Random(1, 128, seed: 3);
        var (y, expected) = (Ops.Scratch(1, 128), Ops.HostScratch(1, 128));
        Ops.PagedAttention(On(q), 2, kv, new[] { 31 }, new[] { 0 }, new[] { 1, 0 }, 1, y);
        PagedAttentionOp.Reference(q, 2, mirror, [31], [0], [1, 0], 1, expected);
        AssertClose(Back(y), expected, 2e-4f);
    }

    /// <summary>The byte of scale and the codes of a key that stands in the last slot of a cache.</summary>
    private unsafe (int Scale, byte[] Codes) Write(float[] row, KvScales? scales)
    {
        using var kv = new KvLayer(2, 20, 1, HeadDim, KvType.Fp8, Ops.Gpu?.Device, scales);
        var (k, v) = (Of(HeadDim, row), Of(HeadDim, row));
        Ops.WriteKv(On(k), On(v), kv, new[] { 39 });
        if (kv.Gpu is { } gpu)
        {
            var words = gpu.Read(Ops.Gpu!).Keys;
            var at = gpu.Shape.Scales + gpu.Shape.RowOf(39, 0);
            return ((int)(words[at / 4] >> (8 * (int)(at % 4))) & 0xFF,
                [.. Enumerable.Range(0, HeadDim).Select(d => (byte)(words[gpu.Shape.Row(39, 0) + (d / 4)] >> (8 * (d % 4))))]);
        }
        var key = kv.KeyGroup(1, 0, 1) + 3;
        var codes = new byte[HeadDim];
        for (var d = 0; d < HeadDim; d++) codes[d] = kv.Keys[key + (16 * d)];
        if (scales is null)
        {
            Assert.That(kv.Values[kv.ValueScale(1, 0, 19)], Is.EqualTo(kv.Keys[key + (16 * HeadDim)]));
            Assert.That(new ReadOnlySpan<byte>(kv.Values + kv.ValueRow(1, 0, 19), HeadDim).SequenceEqual(codes), "values");
        }
        return (kv.Keys[key + (16 * HeadDim)], codes);
    }
}
