using Quilt.Formats.Numerics;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class WriteKvOp
{
    /// <summary>The definition: one element at a time.</summary>
    internal static unsafe void Reference(Matrix k, Matrix v, KvLayer kv, ReadOnlySpan<int> slots)
    {
        for (var t = 0; t < k.Rows; t++)
        {
            for (var c = 0; c < k.Columns; c++)
            {
                var (block, place) = (slots[t] / kv.BlockTokens, slots[t] % kv.BlockTokens);
                var (head, d) = (c / kv.HeadDim, c % kv.HeadDim);
                Put(kv, kv.Keys, kv.KeyGroup(block, head, place / 16) + (16 * d) + (place % 16), k.Row(t)[c]);
                Put(kv, kv.Values, kv.ValueRow(block, head, place) + d, v.Row(t)[c]);
            }
        }

        static void Put(KvLayer kv, byte* to, long index, float value)
        {
            if (kv.Type == KvType.Float32) ((float*)to)[index] = value;
            else ((ushort*)to)[index] = ((BFloat16)value).Bits;
        }
    }
}
