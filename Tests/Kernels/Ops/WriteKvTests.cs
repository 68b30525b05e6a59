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
        using var kv = new KvLayer(7, blockTokens, kvHeads, headDim, type, Ops.Gpu?.Device);
        using var expected = new KvLayer(7, blockTokens, kvHeads, headDim, type);
        var slots = Enumerable.Range(0, 7 * blockTokens).ToArray();
        new Random(1).Shuffle(slots);
        slots = slots[..((6 * blockTokens) + 1)];
        var (k, v) = (Random(slots.Length, kvHeads * headDim, seed: 1), Random(slots.Length, kvHeads * headDim, seed: 2));
        Ops.WriteKv(On(k), On(v), kv, slots);
        WriteKvOp.Reference(k, v, expected, slots);
        if (kv.Gpu is not null)
        {
            SameNumbers(kv, expected);
            return;
        }

        var keyBytes = 7 * kvHeads * kv.Groups * kv.KeyGroupSize * kv.ElementBytes;
        Assert.That(new Span<byte>(kv.Keys, keyBytes).SequenceEqual(new Span<byte>(expected.Keys, keyBytes)), "keys");
        var valueBytes = (int)(kv.Bytes - keyBytes);
        Assert.That(new Span<byte>(kv.Values, valueBytes).SequenceEqual(new Span<byte>(expected.Values, valueBytes)), "values");

        if (type == KvType.Fp8) return;    // Fp8CacheTests have it by hand.

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

    /// <summary>A GPU's layout is its own: every number must be the one that stands at its place in the other.</summary>
    private unsafe void SameNumbers(KvLayer kv, KvLayer expected)
    {
        var (keys, values) = kv.Gpu!.Read(Ops.Gpu!);
        for (var slot = 0; slot < kv.Blocks * kv.BlockTokens; slot++)
        {
            var (block, place) = Math.DivRem(slot, kv.BlockTokens);
            for (var head = 0; head < kv.KvHeads; head++)
            {
                if (kv.Type == KvType.Fp8)
                {
                    var scale = expected.KeyScales(expected.KeyGroup(block, head, place / 16) + (place % 16));
                    Assert.That(Scale(keys, slot, head), Is.EqualTo(expected.Keys[scale]), $"scale of key of slot {slot}, head {head}");
                    Assert.That(Scale(values, slot, head), Is.EqualTo(expected.Values[expected.ValueScale(block, head, place)]),
                        $"scale of value of slot {slot}, head {head}");
                }
                for (var d = 0; d < kv.HeadDim; d++)
                {
                    var (key, value) = (expected.KeyGroup(block, head, place / 16) + (16 * d) + (place % 16),
                        expected.ValueRow(block, head, place) + d);
                    Assert.That(Bits(keys, slot, head, d), Is.EqualTo(Of(expected.Keys, key)), $"key of slot {slot}, head {head}, [{d}]");
                    Assert.That(Bits(values, slot, head, d), Is.EqualTo(Of(expected.Values, value)), $"value of slot {slot}, head {head}, [{d}]");
                }
            }
        }

        uint Bits(uint[] words, int slot, int head, int d)
        {
            var row = kv.Gpu!.Shape.Row(slot, head);
            var (perWord, bits) = (4 / kv.ElementBytes, 8 * kv.ElementBytes);
            return (words[row + (d / perWord)] >> (bits * (d % perWord))) & (uint.MaxValue >> (32 - bits));
        }

        uint Of(byte* numbers, long index) => kv.Type switch
        {
            KvType.Float32 => ((uint*)numbers)[index],
            KvType.BFloat16 => ((ushort*)numbers)[index],
            _ => numbers[index],
        };

        byte Scale(uint[] words, int slot, int head)
        {
            var at = kv.Gpu!.Shape.Scales + kv.Gpu.Shape.RowOf(slot, head);
            return (byte)(words[at / 4] >> (8 * (int)(at % 4)));
        }
    }

    [Test]
    public void Allocates_nothing([Values] KvType type)
    {
        NeedsSilentLaunches();
        if (Target.IsReference) Assert.Ignore("The reference may allocate.");
        using var kv = new KvLayer(4, 16, 2, 64, type, Ops.Gpu?.Device);
        var x = On(Random(1, 128, seed: 1));
        int[] slots = [17];
        Assert.That(Allocated(() => Ops.WriteKv(x, x, kv, slots)), Is.Zero);
    }
}
