using System.Runtime.Intrinsics.X86;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

internal static partial class PagedAttentionOp
{
    /// <summary>What a strip does with groups of sixteen keys and their values.</summary>
    private unsafe partial struct Strip
    {
        /// <summary>
        /// Rows up to which memory is slower than the arithmetic: the next group is then asked for while one is at work. Blocks lie anywhere, so the
        /// processor does not foresee it.
        /// </summary>
        private const int FewRows = 16;

        private readonly byte* Keys<TCached>(int group) where TCached : ICached
        {
            var (block, inBlock) = Math.DivRem(group, Kv.Groups);
            return Kv.Keys + (Kv.KeyGroup(Table[block], KvHead, inBlock) * TCached.Bytes);
        }

        private readonly byte* Values<TCached>(int group) where TCached : ICached
        {
            var (block, inBlock) = Math.DivRem(group, Kv.Groups);
            return Kv.Values + (Kv.ValueRow(Table[block], KvHead, inBlock * KvLayer.GroupTokens) * TCached.Bytes);
        }

        /// <summary>The scores of a span's groups, two groups side by side where registers allow it.</summary>
        private readonly void Score<T, TCached>(int first, int from, int groups) where T : unmanaged, IVector16<T> where TCached : ICached
        {
            for (var row = 0; row < Rows; row++)
                new Span<float>(Scores + (row * Stride) + (16 * from), 16 * (groups - from)).Clear();
            var g = from;
            for (; T.Registers == 1 && g + 1 < groups; g += 2)
            {
                AskKeys<TCached>(first, from, g + 2, groups);
                AskKeys<TCached>(first, from, g + 3, groups);
                var b = Keys<TCached>(first + g);
                var c = Keys<TCached>(first + g + 1);
                MultiplyPair<T, TCached>(Queries, Kv.PaddedDim, b, c, KvLayer.GroupTokens, Kv.HeadDim, Scores + (16 * g), Stride, Rows);
                Rescale<T, TCached>(b, Scores + (16 * g));
                Rescale<T, TCached>(c, Scores + (16 * g) + 16);
            }
            for (; g < groups; g++)
            {
                AskKeys<TCached>(first, from, g + 1, groups);
                var keys = Keys<TCached>(first + g);
                Multiply<T, TCached>(Queries, Kv.PaddedDim, keys, KvLayer.GroupTokens, Kv.HeadDim, Scores + (16 * g), Stride, Rows);
                Rescale<T, TCached>(keys, Scores + (16 * g));
            }
        }

        /// <summary>Gives the scores of sixteen keys the keys' scales.</summary>
        private readonly void Rescale<T, TCached>(byte* keys, float* scores) where T : unmanaged, IVector16<T> where TCached : ICached
        {
            if (!TCached.HasScales) return;
            var scales = Scales<T, TCached>(keys + Kv.KeyScales(0));
            for (var row = 0; row < Rows; row++) T.Store(T.Load(scores + (row * Stride)) * scales, scores + (row * Stride));
        }

        private readonly void Weigh<T, TCached>(int group, int seen, float* probabilities, float* sums, int rows)
            where T : unmanaged, IVector16<T> where TCached : ICached
        {
            var values = Values<TCached>(group);
            if (TCached.HasScales)
            {
                var (block, inBlock) = Math.DivRem(group, Kv.Groups);
                var scales = Scales<T, TCached>(Kv.Values + Kv.ValueScale(Table[block], KvHead, inBlock * KvLayer.GroupTokens));
                for (var row = 0; row < rows; row++)
                    T.Store(T.Load(probabilities + (row * Stride)) * scales, probabilities + (row * Stride));
            }
            var d = 0;
            for (; T.Registers == 1 && d + 32 <= Kv.PaddedDim; d += 32)
            {
                var b = values + (d * TCached.Bytes);
                MultiplyPair<T, TCached>(probabilities, Stride, b, b + (16 * TCached.Bytes), Kv.PaddedDim, seen, sums + d, Kv.PaddedDim, rows);
            }
            for (; d < Kv.PaddedDim; d += 16)
                Multiply<T, TCached>(probabilities, Stride, values + (d * TCached.Bytes), Kv.PaddedDim, seen, sums + d, Kv.PaddedDim, rows);
        }

        /// <summary>Sixteen scales, times the factor that elements lack.</summary>
        private static T Scales<T, TCached>(byte* from) where T : unmanaged, IVector16<T> where TCached : ICached =>
            T.ShiftLeft(T.LoadBytes(from), 23) * T.Broadcast(TCached.Factor);

        /// <summary>Asks for the keys of a group of a span; behind its last, for the first values.</summary>
        private readonly void AskKeys<TCached>(int first, int from, int g, int groups) where TCached : ICached
        {
            if (Rows > FewRows) return;
            if (g < groups) Ask(Keys<TCached>(first + g), Kv.KeyGroupSize * TCached.Bytes);
            else if (from + g - groups < groups) Ask(Values<TCached>(first + from + g - groups), KvLayer.GroupTokens * Kv.PaddedDim * TCached.Bytes);
        }

        /// <summary>Asks for the values of a group of a span; behind its last, for the next span's first keys.</summary>
        private readonly void AskValues<TCached>(int first, int g, int groups) where TCached : ICached
        {
            if (Rows > FewRows) return;
            if (g < groups) Ask(Values<TCached>(first + g), KvLayer.GroupTokens * Kv.PaddedDim * TCached.Bytes);
            else if (first + g <= LastGroup(Tokens - 1)) Ask(Keys<TCached>(first + g), Kv.KeyGroupSize * TCached.Bytes);
        }

        private static void Ask(byte* from, int bytes)
        {
            if (!Sse.IsSupported) return;
            for (var at = 0; at < bytes; at += 64) Sse.Prefetch0(from + at);
        }
    }
}
