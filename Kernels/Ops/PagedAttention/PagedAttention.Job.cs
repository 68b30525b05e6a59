using System.Runtime.CompilerServices;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

internal static partial class PagedAttentionOp
{
    /// <summary>An item is a <see cref="Piece"/>. Units are numbered [kvHeads, parts, strips].</summary>
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

        /// <summary>What there is to do.</summary>
        public Piece* Pieces;

        /// <summary>Of each unit that several pieces make up, all it sees.</summary>
        public Piece* Shared;

        [SkipLocalsInit]
        public readonly void Execute(int item)
        {
            var piece = Pieces[item];
            var strip = Open(piece.Unit);
            var size = strip.ResultSize;
            var queries = strip.Rows * Kv.PaddedDim;
            var room = stackalloc float[queries + (strip.Rows * ScoreStride) + (3 * size) + 16];
            var places = stackalloc byte*[Strip.MostPlaces];
            room = (float*)(((nint)room + 63) & ~63);
            strip.Places = places;
            strip.Queries = room;
            strip.Scores = strip.Queries + queries;
            var merged = strip.Scores + (strip.Rows * ScoreStride);
            TakeQueries(strip, Scale * TCached.Factor * (TCached.HasScales ? Kv.Scales?.Key ?? 1 : 1));

            var later = merged + size;
            var spare = later + size;
            for (var i = 0; i < piece.Count; i++)
            {
                var into = piece.Results is not null ? piece.Results + (i * (long)size) : i == 0 ? merged : later;
                strip.AttendStretch<T, TCached>(piece.First + i, into, spare);
                if (into == later) strip.MergeStretch<T>(piece.First + i, later, merged);
            }
            if (piece.Results is null) Finish(strip, merged);
        }

        /// <summary>Tokens that the tokens of a strip see, all together.</summary>
        public readonly long Seen(int strip)
        {
            var seen = 0L;
            for (var t = StripStarts[strip]; t < StripStarts[strip + 1]; t++) seen += Math.Min(Positions[t] + 1L, Window);
            return seen;
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
                var d = 0;
                for (; d + 16 <= Kv.HeadDim; d += 16) T.Store(T.Load(from + d) / total, to + d);
                if (d < Kv.HeadDim) VectorMath.StoreFirst(T.Load(from + d) / total, to + d, Kv.HeadDim - d);
            }
        }

        /// <summary>Lays the queries out for <see cref="ByStep"/>.</summary>
        private readonly void TakeQueries(Strip strip, float scale)
        {
            var to = strip.Queries;
            var (rows, dim) = (strip.Rows, Kv.HeadDim);
            for (var first = 0; first < rows;)
            {
                var block = BlockRows(rows - first);
                for (var row = 0; row < block; row++) Spread(Place(strip, first + row, Q), dim, scale, to + row, block);
                to += block * dim;
                first += block;
            }
        }

        // A method of its own: beside calls the compiler keeps the scale in memory, and every step waits for it.
        [MethodImpl(MethodImplOptions.NoInlining)]
        private static void Spread(float* from, int count, float scale, float* to, nint step)
        {
            for (var end = from + count; from < end; from++, to += step) *to = *from * scale;
        }

        private readonly float* Place(Strip strip, int row, Matrix matrix) =>
            matrix.RowData(strip.FirstToken + (row / strip.Heads)) + ((strip.FirstHead + (row % strip.Heads)) * (long)Kv.HeadDim);
    }

    /// <summary>Merges what the pieces of a unit left.</summary>
    private readonly unsafe struct MergeJob<T, TCached>(Job<T, TCached> job) : IJob where T : unmanaged, IVector16<T> where TCached : ICached
    {
        public void Execute(int item)
        {
            var unit = job.Shared[item];
            var strip = job.Open(unit.Unit);
            for (var i = 1; i < unit.Count; i++)
                strip.MergeStretch<T>(unit.First + i, unit.Results + (i * (long)strip.ResultSize), unit.Results);
            job.Finish(strip, unit.Results);
        }
    }
}
