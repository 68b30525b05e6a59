using System.Runtime.CompilerServices;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

internal static partial class PagedAttentionOp
{
    /// <summary>An item is a unit (one tile of tokens with the query heads of one key head) over all its spans, or one span of a unit.</summary>
    private unsafe struct Job<T, TCached> : IJob where T : unmanaged, IVector16<T> where TCached : ICached
    {
        public Matrix Q;
        public Matrix Into;
        public KvLayer Kv;
        public int* Positions;
        public int* TableStarts;
        public int* Tables;
        public int* TileStarts;
        public int Tiles;
        public float Scale;

        /// <summary>Positions that a token sees.</summary>
        public int Window;

        /// <summary>[heads], or null.</summary>
        public float* Sinks;

        /// <summary>Query heads that share a key head; tiles cut them in <see cref="Parts"/> of at most <see cref="TileHeads"/>.</summary>
        public int PerKey;
        public int Parts;
        public int TileHeads;

        /// <summary>Most spans that a tile sees.</summary>
        public int Spans;

        /// <summary>[units, spans, PartialSize], or null where an item does all spans of its unit.</summary>
        public float* Partials;

        public readonly int PartialSize => TileRows * (Kv.PaddedDim + 2);

        [SkipLocalsInit]
        public readonly void Execute(int item)
        {
            var tile = Open(Partials is null ? item : item / Spans);
            var stride = Kv.PaddedDim;
            var resultSize = (tile.Rows * stride) + (((2 * tile.Rows) + 15) & ~15);
            var room = stackalloc float[(tile.Rows * (stride + (16 * SpanGroups))) + (2 * resultSize) + 16];
            room = (float*)(((nint)room + 63) & ~63);
            tile.Queries = room;
            tile.Scores = tile.Queries + (tile.Rows * stride);
            var merged = tile.Scores + (tile.Rows * 16 * SpanGroups);
            var later = merged + resultSize;
            TakeQueries(tile);

            if (Partials is not null)
            {
                var span = tile.FirstSpan + (item % Spans);
                if (span <= tile.LastSpan) tile.Attend<T, TCached>(span, Partials + (item * (long)PartialSize));
                return;
            }
            tile.Attend<T, TCached>(tile.FirstSpan, merged);
            for (var span = tile.FirstSpan + 1; span <= tile.LastSpan; span++)
            {
                tile.Attend<T, TCached>(span, later);
                tile.Merge<T>(span, later, merged);
            }
            Finish(tile, merged);
        }

        public readonly Tile Open(int unit)
        {
            var (part, t) = Math.DivRem(unit, Tiles);
            var (head, first) = (part / Parts, part % Parts * TileHeads);
            var token = TileStarts[t];
            return new Tile
            {
                Kv = Kv,
                KvHead = head,
                Table = Tables + TableStarts[token],
                FirstToken = token,
                Tokens = TileStarts[t + 1] - token,
                FirstPosition = Positions[token],
                FirstHead = (head * PerKey) + first,
                Heads = Math.Min(TileHeads, PerKey - first),
                Window = Window,
            };
        }

        /// <summary>Divides by the sum of the probabilities, the sink's among them, and writes the rows out.</summary>
        public readonly void Finish(Tile tile, float* merged)
        {
            var stride = Kv.PaddedDim;
            for (var row = 0; row < tile.Rows; row++)
            {
                var from = merged + (row * stride);
                var to = Place(tile, row, Into);
                var (largest, sum) = (merged[(tile.Rows * stride) + row], merged[(tile.Rows * stride) + tile.Rows + row]);
                if (Sinks is not null) sum += (float)VectorMath.Exp((double)Sinks[tile.FirstHead + (row % tile.Heads)] - largest);
                var total = T.Broadcast(sum);
                for (var d = 0; d < stride; d += 16) T.Store(T.Load(from + d) / total, from + d);
                Unsafe.CopyBlockUnaligned(to, from, (uint)Kv.HeadDim * sizeof(float));
            }
        }

        private readonly void TakeQueries(Tile tile)
        {
            for (var row = 0; row < tile.Rows; row++)
            {
                var from = Place(tile, row, Q);
                var to = tile.Queries + (row * Kv.PaddedDim);
                for (var d = 0; d < Kv.HeadDim; d++) to[d] = from[d] * Scale;
            }
        }

        private readonly float* Place(Tile tile, int row, Matrix matrix) =>
            matrix.RowData(tile.FirstToken + (row / tile.Heads)) + ((tile.FirstHead + (row % tile.Heads)) * (long)Kv.HeadDim);
    }

    /// <summary>Merges the spans of a unit.</summary>
    private readonly unsafe struct MergeJob<T, TCached>(Job<T, TCached> job) : IJob where T : unmanaged, IVector16<T> where TCached : ICached
    {
        public void Execute(int unit)
        {
            var tile = job.Open(unit);
            var merged = job.Partials + (unit * (long)job.Spans * job.PartialSize);
            for (var span = tile.FirstSpan + 1; span <= tile.LastSpan; span++)
                tile.Merge<T>(span, merged + ((span - tile.FirstSpan) * (long)job.PartialSize), merged);
            job.Finish(tile, merged);
        }
    }
}
