using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

internal static partial class PagedAttentionOp
{
    /// <summary>
    /// Neighbouring tokens of one sequence with some query heads of one key head; row = token · heads + head.
    /// The result of a span stands in one array: [rows, paddedDim] weighted sums of values, [rows] largest score, [rows] sum of probabilities.
    /// </summary>
    private unsafe partial struct Strip
    {
        public KvLayer Kv;
        public int KvHead;
        public int* Table;
        public int FirstToken;
        public int Tokens;
        public int FirstPosition;
        public int FirstHead;
        public int Heads;
        public int Window;
        public float* Queries;  // blocks of rows, each [headDim, rows of the block], scaled
        public float* Scores;   // [rows, ScoreStride]
        public byte** Places;   // [MostPlaces]: of the span at work

        public readonly int Rows => Tokens * Heads;

        /// <summary>Floats of a result, whole cache lines.</summary>
        public readonly int ResultSize => (Rows * Kv.PaddedDim) + (((2 * Rows) + 15) & ~15);

        /// <summary>The first stretch that a token of the strip sees anything of.</summary>
        public readonly int FirstStretch => FirstSpan / StretchSpans;

        /// <summary>How many stretches the strip sees anything of.</summary>
        public readonly int Stretches => (LastSpan / StretchSpans) - FirstStretch + 1;

        private readonly int FirstSpan => FirstGroup(0) / SpanGroups;

        private readonly int LastSpan => LastGroup(Tokens - 1) / SpanGroups;

        /// <summary>The result of a stretch; <paramref name="spare"/> has room for another.</summary>
        public readonly void AttendStretch<T, TCached>(int stretch, float* result, float* spare)
            where T : unmanaged, IVector16<T> where TCached : ICached
        {
            var begin = stretch * StretchSpans;
            var (first, last) = (Math.Max(begin, FirstSpan), Math.Min(begin + StretchSpans - 1, LastSpan));
            Attend<T, TCached>(first, result);
            for (var span = first + 1; span <= last; span++)
            {
                Attend<T, TCached>(span, spare);
                Merge<T>(span, SpanGroups, begin, spare, result);
            }
        }

        /// <summary>Adds a later stretch to what stands in <paramref name="merged"/>.</summary>
        public readonly void MergeStretch<T>(int stretch, float* later, float* merged) where T : unmanaged, IVector16<T> =>
            Merge<T>(stretch, StretchSpans * SpanGroups, 0, later, merged);

        /// <summary>Scores, softmax and weighted values over one span.</summary>
        private readonly void Attend<T, TCached>(int span, float* result) where T : unmanaged, IVector16<T> where TCached : ICached
        {
            var first = span * SpanGroups;
            var from = Math.Max(0, FirstGroup(0) - first);
            var groups = Math.Min(SpanGroups, LastGroup(Tokens - 1) + 1 - first);
            new Span<float>(result, Rows * Kv.PaddedDim).Clear();
            Locate<TCached>(first, from, groups);
            Score<T, TCached>(from, groups);

            var largest = result + (Rows * Kv.PaddedDim);
            for (var t = 0; t < Tokens; t++)
            {
                var (begin, end) = (Math.Max(from, FirstGroup(t) - first), Math.Min(groups, LastGroup(t) + 1 - first));
                if (begin >= end) continue;
                for (var row = t * Heads; row < (t + 1) * Heads; row++)
                {
                    Mask(t, first, begin, end, Scores + (row * ScoreStride));
                    (largest[row], largest[Rows + row]) = Softmax<T>(Scores + (row * ScoreStride) + (16 * begin), end - begin);
                }
            }

            var (sharedFrom, sharedTo) = (FirstGroup(Tokens - 1) - first, LastGroup(0) - first);
            for (var g = from; g < groups; g++)
            {
                var place = Places + (groups - from) + (g - from);
                if (g >= sharedFrom && g < sharedTo)
                {
                    Weigh<T, TCached>(first + g, place, Seen(Tokens - 1, first + g), Scores + (16 * g), result, Rows);
                    continue;
                }
                for (var t = 0; t < Tokens; t++)
                {
                    var seen = Seen(t, first + g);
                    var row = t * Heads;
                    if (seen > 0 && first + g >= FirstGroup(t))
                    {
                        Weigh<T, TCached>(
                            first + g, place, seen, Scores + (row * ScoreStride) + (16 * g), result + (row * Kv.PaddedDim), Heads);
                    }
                }
            }
            if (TCached.HasScales)
            {
                var factor = T.Broadcast(TCached.Factor * (Kv.Scales?.Value ?? 1));
                for (var at = 0; at < Rows * Kv.PaddedDim; at += 16) T.Store(T.Load(result + at) * factor, result + at);
            }
        }

        /// <summary>Adds a later part of the sequence to what stands in <paramref name="merged"/>.</summary>
        /// <param name="part">Which.</param>
        /// <param name="groups">Groups of a part.</param>
        /// <param name="from">The first part that <paramref name="merged"/> is of.</param>
        /// <param name="later">Its result.</param>
        /// <param name="merged">The result of the parts before, and then with it.</param>
        private readonly void Merge<T>(int part, int groups, int from, float* later, float* merged) where T : unmanaged, IVector16<T>
        {
            var stride = Kv.PaddedDim;
            for (var row = 0; row < Rows; row++)
            {
                var (begin, end) = (Math.Max(from, FirstGroup(row / Heads) / groups), LastGroup(row / Heads) / groups);
                if (part < begin || part > end) continue;
                var x = later + (row * stride);
                var y = merged + (row * stride);
                var largest = merged + (Rows * stride) + row;
                if (part == begin)
                {
                    // The row saw nothing of the parts before: it begins here, as it would alone.
                    new ReadOnlySpan<float>(x, stride).CopyTo(new Span<float>(y, stride));
                    (*largest, largest[Rows]) = (later[(Rows * stride) + row], later[(Rows * stride) + Rows + row]);
                    continue;
                }
                var laterLargest = later[(Rows * stride) + row];
                var max = MathF.Max(*largest, laterLargest);
                var keep = *largest == max ? 1 : (float)VectorMath.Exp((double)*largest - max);
                var add = laterLargest == max ? 1 : (float)VectorMath.Exp((double)laterLargest - max);
                *largest = max;
                largest[Rows] = MathF.FusedMultiplyAdd(largest[Rows], keep, later[(Rows * stride) + Rows + row] * add);
                for (var d = 0; d < stride; d += 16) T.Store(T.Fma(T.Load(y + d), T.Broadcast(keep), T.Load(x + d) * T.Broadcast(add)), y + d);
            }
        }

        /// <summary>The first group that token t of the strip sees anything of.</summary>
        private readonly int FirstGroup(int t) => KeyGroupOf(Kv, FirstSeen(FirstPosition + t, Window));

        /// <summary>The group of token t of the strip.</summary>
        private readonly int LastGroup(int t) => KeyGroupOf(Kv, FirstPosition + t);

        /// <summary>Tokens of a group up to the last that token t of the strip sees.</summary>
        private readonly int Seen(int t, int group)
        {
            var (block, inBlock) = Math.DivRem(group, Kv.Groups);
            var place = inBlock * KvLayer.GroupTokens;
            var start = ((long)block * Kv.BlockTokens) + place;
            return (int)Math.Clamp(FirstPosition + t + 1 - start, 0, Math.Min(KvLayer.GroupTokens, Kv.BlockTokens - place));
        }

        /// <summary>
        /// What a token does not see gets the score −∞: what lies before its window, the rest of its last group, and the unused rest of a block.
        /// </summary>
        private readonly void Mask(int t, int first, int begin, int end, float* scores)
        {
            var ragged = Kv.BlockTokens % KvLayer.GroupTokens != 0;
            for (var g = ragged ? begin : end - 1; g < end; g++)
            {
                for (var lane = Seen(t, first + g); lane < KvLayer.GroupTokens; lane++) scores[(16 * g) + lane] = float.NegativeInfinity;
            }
            if (first + begin != FirstGroup(t)) return;
            var hidden = FirstSeen(FirstPosition + t, Window) % Kv.BlockTokens % KvLayer.GroupTokens;
            for (var lane = 0; lane < hidden; lane++) scores[(16 * begin) + lane] = float.NegativeInfinity;
        }

        /// <summary>Scores become probabilities times their sum; the largest score and the sum are returned.</summary>
        private static (float Largest, float Sum) Softmax<T>(float* scores, int groups) where T : unmanaged, IVector16<T>
        {
            var max = T.Load(scores);
            for (var g = 1; g < groups; g++) max = T.Max(max, T.Load(scores + (16 * g)));
            var largest = T.MaxLane(max);
            var m = T.Broadcast(largest);
            var sum = T.Broadcast(0);
            for (var g = 0; g < groups; g++)
            {
                var p = VectorMath.Exp(T.Load(scores + (16 * g)) - m);
                T.Store(p, scores + (16 * g));
                sum += p;
            }
            return (largest, T.Sum(sum));
        }
    }
}
