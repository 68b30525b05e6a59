using System.Runtime.CompilerServices;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

internal static partial class PagedAttentionOp
{
    /// <summary>An item is a unit (one strip of tokens with the query heads of one key head) over all its spans, or one span of a unit.</summary>
    private unsafe struct Job<T, TCached> : IJob where T : unmanaged, IVector16<T> where TCached : ICached
    {
        public Matrix Q;
        public Matrix Into;
        public KvLayer Kv;
        public int* Positions;
        public int* TableStarts;
        public int* Tables;
        public int* StripStarts;
        public int Strips;
        public float Scale;

        /// <summary>Positions that a token sees.</summary>
        public int Window;

        /// <summary>[heads], or null.</summary>
        public float* Sinks;

        /// <summary>Query heads that share a key head; strips cut them in <see cref="Parts"/> of at most <see cref="StripHeads"/>.</summary>
        public int PerKey;
        public int Parts;
        public int StripHeads;

        /// <summary>Most spans that a strip sees.</summary>
        public int Spans;

        /// <summary>[units, spans, PartialSize], or null where an item does all spans of its unit.</summary>
        public float* Partials;

        public readonly int PartialSize => StripRows * (Kv.PaddedDim + 2);

        [SkipLocalsInit]
        public readonly void Execute(int item)
        {
            var strip = Open(Partials is null ? item : item / Spans);
            var stride = Kv.PaddedDim;
            var resultSize = (strip.Rows * stride) + (((2 * strip.Rows) + 15) & ~15);
            var room = stackalloc float[(strip.Rows * (stride + (16 * SpanGroups))) + (2 * resultSize) + 16];
            room = (float*)(((nint)room + 63) & ~63);
            strip.Queries = room;
            strip.Scores = strip.Queries + (strip.Rows * stride);
            var merged = strip.Scores + (strip.Rows * 16 * SpanGroups);
            var later = merged + resultSize;
            TakeQueries(strip, Scale * TCached.Factor * (TCached.HasScales ? Kv.Scales?.Key ?? 1 : 1));

            if (Partials is not null)
            {
                var span = strip.FirstSpan + (item % Spans);
                if (span <= strip.LastSpan) strip.Attend<T, TCached>(span, Partials + (item * (long)PartialSize));
                return;
            }
            strip.Attend<T, TCached>(strip.FirstSpan, merged);
            for (var span = strip.FirstSpan + 1; span <= strip.LastSpan; span++)
            {
                strip.Attend<T, TCached>(span, later);
                strip.Merge<T>(span, later, merged);
            }
            Finish(strip, merged);
        }

        public readonly Strip Open(int unit)
        {
            var (part, t) = Math.DivRem(unit, Strips);
            var (head, first) = (part / Parts, part % Parts * StripHeads);
            var token = StripStarts[t];
            return new Strip
            {
                Kv = Kv,
                KvHead = head,
                Table = Tables + TableStarts[token],
                FirstToken = token,
                Tokens = StripStarts[t + 1] - token,
                FirstPosition = Positions[token],
                FirstHead = (head * PerKey) + first,
                Heads = Math.Min(StripHeads, PerKey - first),
                Window = Window,
            };
        }

        /// <summary>Divides by the sum of the probabilities, the sink's among them, and writes the rows out.</summary>
        public readonly void Finish(Strip strip, float* merged)
        {
            var stride = Kv.PaddedDim;
            for (var row = 0; row < strip.Rows; row++)
            {
                var from = merged + (row * stride);
                var to = Place(strip, row, Into);
                var (largest, sum) = (merged[(strip.Rows * stride) + row], merged[(strip.Rows * stride) + strip.Rows + row]);
                if (Sinks is not null) sum += (float)VectorMath.Exp((double)Sinks[strip.FirstHead + (row % strip.Heads)] - largest);
                var total = T.Broadcast(sum);
                for (var d = 0; d < stride; d += 16) T.Store(T.Load(from + d) / total, from + d);
                Unsafe.CopyBlockUnaligned(to, from, (uint)Kv.HeadDim * sizeof(float));
            }
        }

        private readonly void TakeQueries(Strip strip, float scale)
        {
            for (var row = 0; row < strip.Rows; row++)
            {
                var from = Place(strip, row, Q);
                var to = strip.Queries + (row * Kv.PaddedDim);
                for (var d = 0; d < Kv.HeadDim; d++) to[d] = from[d] * scale;
            }
        }

        private readonly float* Place(Strip strip, int row, Matrix matrix) =>
            matrix.RowData(strip.FirstToken + (row / strip.Heads)) + ((strip.FirstHead + (row % strip.Heads)) * (long)Kv.HeadDim);
    }

    /// <summary>Merges the spans of a unit.</summary>
    private readonly unsafe struct MergeJob<T, TCached>(Job<T, TCached> job) : IJob where T : unmanaged, IVector16<T> where TCached : ICached
    {
        public void Execute(int unit)
        {
            var strip = job.Open(unit);
            var merged = job.Partials + (unit * (long)job.Spans * job.PartialSize);
            for (var span = strip.FirstSpan + 1; span <= strip.LastSpan; span++)
                strip.Merge<T>(span, merged + ((span - strip.FirstSpan) * (long)job.PartialSize), merged);
            job.Finish(strip, merged);
        }
    }
}
