using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

internal static partial class PagedAttentionOp
{
    /// <summary>
    /// Pieces that a thread would get if all were as large as a piece may be. The last one keeps the other threads waiting for an eighth of their
    /// work at most; small pieces come last and fill the gap.
    /// </summary>
    private const int PiecesAThread = 8;

    /// <summary>What a thread takes at a time: neighbouring stretches of a unit.</summary>
    private unsafe struct Piece
    {
        /// <summary>One strip of tokens with the query heads of one key head.</summary>
        public int Unit;

        /// <summary>The first stretch, counted over the sequence.</summary>
        public int First;

        public int Count;

        /// <summary>
        /// [<see cref="Count"/>, result of the unit's rows]: for the stretches' results; null where the piece is all that the unit sees.
        /// </summary>
        public float* Results;
    }

    /// <summary>How the work is cut.</summary>
    /// <param name="Pieces">Number of pieces.</param>
    /// <param name="Shared">Units that several pieces make up.</param>
    /// <param name="Seen">Tokens seen, over all units and their tokens.</param>
    /// <param name="Results">Floats that pieces of shared units leave to be merged.</param>
    private readonly record struct Cuts(int Pieces, int Shared, long Seen, long Results);

    /// <summary>
    /// Lists the job's pieces, each of about the same number of tokens seen or fewer, so that a long sequence among short ones is work for all
    /// threads.
    /// Pieces of shared units come first.
    /// </summary>
    private static unsafe Cuts Cut<T, TCached>(OpStream ops, ref Job<T, TCached> job)
        where T : unmanaged, IVector16<T> where TCached : ICached
    {
        var threads = ops.Device.Pool.Threads;
        var across = job.Kv.KvHeads * job.Parts;
        var seen = 0L;
        for (var t = 0; t < job.Strips; t++) seen += across * job.Seen(t);
        var most = threads == 1 ? long.MaxValue : Math.Max(1, seen / (PiecesAThread * threads));

        var (pieces, shared, results) = (0, 0, 0L);
        for (var t = 0; t < job.Strips; t++)
        {
            var strip = job.Open(t);
            var parts = PiecesOf(strip, job.Seen(t), most);
            pieces += across * parts;
            if (parts == 1) continue;
            shared += across;
            results += across * (long)strip.Stretches * strip.ResultSize;
        }

        job.Pieces = (Piece*)ops.Bytes(pieces * (long)sizeof(Piece));
        job.Shared = (Piece*)ops.Bytes(shared * (long)sizeof(Piece));
        var next = job.Pieces;
        var unit = job.Shared;
        var room = (float*)ops.Bytes(results * sizeof(float));
        for (var u = 0; u < job.Strips * across; u++)
        {
            var strip = job.Open(u);
            var parts = PiecesOf(strip, job.Seen(u % job.Strips), most);
            if (parts == 1) continue;
            var stretches = strip.Stretches;
            *unit++ = new() { Unit = u, First = strip.FirstStretch, Count = stretches, Results = room };
            for (var part = 0; part < parts; part++)
            {
                var (begin, end) = ((int)((long)stretches * part / parts), (int)((long)stretches * (part + 1) / parts));
                *next++ = new()
                {
                    Unit = u, First = strip.FirstStretch + begin, Count = end - begin, Results = room + (begin * (long)strip.ResultSize),
                };
            }
            room += stretches * (long)strip.ResultSize;
        }
        for (var u = 0; u < job.Strips * across; u++)
        {
            var strip = job.Open(u);
            if (PiecesOf(strip, job.Seen(u % job.Strips), most) == 1)
                *next++ = new() { Unit = u, First = strip.FirstStretch, Count = strip.Stretches };
        }
        return new(pieces, shared, seen, results);
    }

    private static int PiecesOf(in Strip strip, long seen, long most)
    {
        var stretches = strip.Stretches;
        return stretches == 1 ? 1 : (int)Math.Clamp(((seen - 1) / most) + 1, 1, stretches);
    }
}
