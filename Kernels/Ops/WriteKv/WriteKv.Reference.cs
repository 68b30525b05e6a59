using Quilt.Formats.Numerics;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class WriteKvOp
{
    /// <summary>The definition: one element at a time.</summary>
    internal static unsafe void Reference(Matrix k, Matrix v, KvLayer kv, ReadOnlySpan<int> slots)
    {
        var codes = new byte[kv.HeadDim];
        for (var t = 0; t < k.Rows; t++)
        {
            var (block, place) = (slots[t] / kv.BlockTokens, slots[t] % kv.BlockTokens);
            for (var head = 0; head < kv.KvHeads; head++)
            {
                var key = kv.KeyGroup(block, head, place / 16) + (place % 16);
                var value = kv.ValueRow(block, head, place);
                var fromKey = k.Row(t).Slice(head * kv.HeadDim, kv.HeadDim);
                var fromValue = v.Row(t).Slice(head * kv.HeadDim, kv.HeadDim);
                if (kv.Type == KvType.Fp8)
                {
                    var keyScale = Fp8Row.Encode(fromKey, kv.Scales?.Key ?? 0, codes);
                    for (var d = 0; d < kv.HeadDim; d++) kv.Keys[key + (16 * d)] = codes[d];
                    var valueScale = Fp8Row.Encode(fromValue, kv.Scales?.Value ?? 0, codes);
                    for (var d = 0; d < kv.HeadDim; d++) kv.Values[value + d] = codes[d];
                    (kv.Keys[kv.KeyScales(key)], kv.Values[kv.ValueScale(block, head, place)]) = Fp8Row.Together(keyScale, valueScale);
                    continue;
                }
                for (var d = 0; d < kv.HeadDim; d++)
                {
                    Put(kv, kv.Keys, key + (16 * d), fromKey[d]);
                    Put(kv, kv.Values, value + d, fromValue[d]);
                }
            }
        }

        static void Put(KvLayer kv, byte* to, long index, float value)
        {
            if (kv.Type == KvType.Float32) ((float*)to)[index] = value;
            else ((ushort*)to)[index] = ((BFloat16)value).Bits;
        }
    }
}
