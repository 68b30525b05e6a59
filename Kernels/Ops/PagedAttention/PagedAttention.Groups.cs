using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

internal static partial class PagedAttentionOp
{
    /// <summary>What a strip does with groups of sixteen keys and their values.</summary>
    private unsafe partial struct Strip
    {
        /// <summary>Groups that are multiplied side by side.</summary>
        private const int Side = 4;

        /// <summary>Places of a span: its groups' keys, their values, and what is read after them.</summary>
        public const int MostPlaces = (2 * SpanGroups) + (2 * Side);

        /// <summary>
        /// Finds keys and values of a span's groups in the order in which they are read, with the next span's first keys behind. Blocks lie anywhere,
        /// so the processor does not foresee what comes next; the list says it.
        /// </summary>
        private readonly void Locate<TCached>(int first, int from, int groups) where TCached : ICached
        {
            var at = Places;
            for (var g = from; g < groups; g++) *at++ = Keys<TCached>(first + g);
            for (var g = from; g < groups; g++) *at++ = Values<TCached>(first + g);
            var last = LastGroup(Tokens - 1);
            for (var g = first + groups; g < first + groups + (2 * Side); g++) *at++ = g <= last ? Keys<TCached>(g) : Places[0];
        }

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

        /// <summary>The scores of a span's groups.</summary>
        private readonly void Score<T, TCached>(int from, int groups) where T : unmanaged, IVector16<T> where TCached : ICached
        {
            for (var row = 0; row < Rows; row++) new Span<float>(Scores + (row * ScoreStride) + (16 * from), 16 * (groups - from)).Clear();
            for (var g = from; g < groups; g += Side)
            {
                var p = Places + (g - from);
                var scores = Scores + (16 * g);
                var side = Math.Min(Side, groups - g);
                Multiply<T, TCached, ByStep>(
                    Queries, Rows, new(p[0], p[1], p[2], p[3]), new(p[4], p[5], p[6], p[7]), side, KvLayer.GroupTokens * TCached.Bytes, Kv.HeadDim,
                    scores, ScoreStride);
                if (!TCached.HasScales) continue;
                for (var i = 0; i < side; i++) Rescale<T>(Scales<T, TCached>(p[i] + Kv.KeyScales(0)), scores + (16 * i), Rows);
            }
        }

        /// <summary>Adds to some rows' sums the values of a group, as far as they are seen, each times its probability.</summary>
        /// <param name="group">The group, counted over the sequence.</param>
        /// <param name="place">Where its values stand in the list.</param>
        /// <param name="seen">Tokens of it that all rows see.</param>
        /// <param name="probabilities">Of the first row.</param>
        /// <param name="sums">Of the first row.</param>
        /// <param name="rows">Number of rows.</param>
        private readonly void Weigh<T, TCached>(int group, byte** place, int seen, float* probabilities, float* sums, int rows)
            where T : unmanaged, IVector16<T> where TCached : ICached
        {
            if (TCached.HasScales)
            {
                var (block, inBlock) = Math.DivRem(group, Kv.Groups);
                var scales = Kv.Values + Kv.ValueScale(Table[block], KvHead, inBlock * KvLayer.GroupTokens);
                Rescale<T>(Scales<T, TCached>(scales), probabilities, rows);
            }
            const int width = 16 * Side;
            var column = 16 * TCached.Bytes;
            for (var d = 0; d < Kv.PaddedDim; d += width)
            {
                // As many bytes ahead for every type: 8 KiB with heads of 128.
                var v = *place + (d * TCached.Bytes);
                var next = place[sizeof(float) / TCached.Bytes] + (d * TCached.Bytes);
                Multiply<T, TCached, ByRow>(
                    probabilities, rows, new(v, v + column, v + (2 * column), v + (3 * column)),
                    new(next, next + column, next + (2 * column), next + (3 * column)), Math.Min(Side, (Kv.PaddedDim - d) / 16),
                    Kv.PaddedDim * TCached.Bytes, seen, sums + d, Kv.PaddedDim);
            }
        }

        private static void Rescale<T>(T scales, float* scores, int rows) where T : unmanaged, IVector16<T>
        {
            for (var row = 0; row < rows; row++) T.Store(T.Load(scores + (row * ScoreStride)) * scales, scores + (row * ScoreStride));
        }

        /// <summary>Sixteen scales, times the factor that elements lack.</summary>
        private static T Scales<T, TCached>(byte* from) where T : unmanaged, IVector16<T> where TCached : ICached =>
            T.ShiftLeft(T.LoadBytes(from), 23) * T.Broadcast(TCached.Factor);
    }
}
