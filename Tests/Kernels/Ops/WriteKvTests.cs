using Quilt.Formats.Numerics;
using Quilt.Kernels.Ops;

namespace Quilt.Tests.Kernels.Ops;

[TestFixtureSource(typeof(Target), nameof(Target.All))]
public sealed class WriteKvTests(Target target) : OpTests(target)
{
    [Test]
    public unsafe void Puts_every_element_where_the_layout_says(
        [Values(1, 5, 16, 40)] int blockTokens, [Values(1, 16, 44)] int headDim, [Values(1, 3)] int kvHeads, [Values] KvType type)
    {
        using var kv = new KvLayer(7, blockTokens, kvHeads, headDim, type);
        using var expected = new KvLayer(7, blockTokens, kvHeads, headDim, type);
        var slots = Enumerable.Range(0, 7 * blockTokens).ToArray();
        new Random(1).Shuffle(slots);
        slots = slots[..((6 * blockTokens) + 1)];
        var (k, v) = (Random(slots.Length, kvHeads * headDim, seed: 1), Random(slots.Length, kvHeads * headDim, seed: 2));
        Ops.WriteKv(k, v, kv, slots);
        WriteKvOp.Reference(k, v, expected, slots);

        var keyBytes = 7 * kvHeads * kv.Groups * 16 * headDim * kv.ElementBytes;
        Assert.That(new Span<byte>(kv.Keys, keyBytes).SequenceEqual(new Span<byte>(expected.Keys, keyBytes)), "keys");
        var valueBytes = (int)(kv.Bytes - keyBytes);
        Assert.That(new Span<byte>(kv.Values, valueBytes).SequenceEqual(new Span<byte>(expected.Values, valueBytes)), "values");

        // One element by hand: the last dimension of the last head of the last row.
        var (block, place) = Math.DivRem(slots[^1], blockTokens);
        var key = (((((block * kvHeads) + kvHeads - 1) * kv.Groups) + (place / 16)) * headDim * 16) + (16 * (headDim - 1)) + (place % 16);
        var value = (((((block * kvHeads) + kvHeads - 1) * blockTokens) + place) * kv.PaddedDim) + headDim - 1;
        if (type == KvType.Float32)
        {
            Assert.That(((float*)kv.Keys)[key], Is.EqualTo(k.Row(k.Rows - 1)[^1]));
            Assert.That(((float*)kv.Values)[value], Is.EqualTo(v.Row(v.Rows - 1)[^1]));
        }
        else
        {
            Assert.That((float)((BFloat16*)kv.Keys)[key], Is.EqualTo(BFloat16.Round(k.Row(k.Rows - 1)[^1])));
            Assert.That((float)((BFloat16*)kv.Values)[value], Is.EqualTo(BFloat16.Round(v.Row(v.Rows - 1)[^1])));
        }
    }

    [Test]
    public void Allocates_nothing()
    {
        using var kv = new KvLayer(4, 16, 2, 64, KvType.BFloat16);
        var x = Random(1, 128, seed: 1);
        int[] slots = [17];
        Assert.That(Allocated(() => Ops.WriteKv(x, x, kv, slots)), Is.Zero);
    }
}
