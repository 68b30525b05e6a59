using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class PagedAttentionOp
{
    /// <summary>The definition, in double.</summary>
    internal static unsafe void Reference(
        Matrix q, int heads, KvLayer kv, ReadOnlySpan<int> positions, ReadOnlySpan<int> tableStarts, ReadOnlySpan<int> tables, float scale,
        Matrix into,
        int window = int.MaxValue, NativeBuffer? sinks = null)
    {
        for (var t = 0; t < q.Rows; t++)
        {
            for (var head = 0; head < heads; head++)
            {
                var query = q.Row(t).Slice(head * kv.HeadDim, kv.HeadDim);
                var kvHead = head / (heads / kv.KvHeads);
                var p = new double[positions[t] + 1];
                var first = Math.Max(0, p.Length - window);
                for (var i = first; i < p.Length; i++)
                {
                    var block = tables[tableStarts[t] + (i / kv.BlockTokens)];
                    var place = i % kv.BlockTokens;
                    var key = kv.KeyGroup(block, kvHead, place / 16) + (place % 16);
                    var bytes = kv.KeyScales(key);
                    for (var d = 0; d < kv.HeadDim; d++) p[i] += scale * (double)query[d] * Get(kv, kv.Keys, key + (16 * d), bytes, kv.Scales?.Key);
                }
                var sink = sinks is null ? double.NegativeInfinity : sinks.Span<float>(head, 1)[0];
                var max = Math.Max(sink, p[first..].Max());
                for (var i = first; i < p.Length; i++) p[i] = Math.Exp(p[i] - max);
                var total = p[first..].Sum() + Math.Exp(sink - max);
                for (var d = 0; d < kv.HeadDim; d++)
                {
                    var sum = 0.0;
                    for (var i = first; i < p.Length; i++)
                    {
                        var block = tables[tableStarts[t] + (i / kv.BlockTokens)];
                        var place = i % kv.BlockTokens;
                        sum += p[i] * Get(kv, kv.Values, kv.ValueRow(block, kvHead, place) + d,
                            kv.ValueScale(block, kvHead, place), kv.Scales?.Value);
                    }
                    into.Row(t)[(head * kv.HeadDim) + d] = (float)(sum / total);
                }
            }
        }

        static double Get(KvLayer kv, byte* from, long index, long scale, float? given) => kv.Type switch
        {
            KvType.Float32 => ((float*)from)[index],
            KvType.BFloat16 => BitConverter.UInt32BitsToSingle((uint)((ushort*)from)[index] << 16),
            _ => Fp8Row.Decode(from[index], from[scale], given ?? 0),
        };
    }
}
