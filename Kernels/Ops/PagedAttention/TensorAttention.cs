using ILGPU;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;

namespace Quilt.Kernels.Ops;

/// <summary>
/// Attention on tensor cores, over a cache of bfloat16 and heads of 64 or 128 dimensions. A warp takes a strip of sixteen rows, a row being a
/// query head of a token, all of one key head: row = token · share + head. In a step it scores sixteen keys and adds their values, everything in
/// registers: queries and sums stay there, and the layout of scores is the one that the second product wants its left operand in. A dot product may
/// take its dimensions in any order, so that each lane loads sixteen bytes of a key or of a value at a time; the order of a result's dimensions is
/// put right when it is stored.
/// </summary>
/// <remarks>
/// Few tokens of a sequence (decoding): a unit is one token; the warps of a group share a strip, each takes every n-th sixteen keys of a span, and a
/// group takes one span. Many (prompts): a unit is all tokens of the launch, and the warps of a group take strips of their own, whose keys are mostly
/// the same and come from the first cache.
/// </remarks>
internal static partial class TensorAttention
{
    /// <summary>Warps of a group.</summary>
    public const int Warps = 4;

    /// <summary>Most spans of a row.</summary>
    public const int MostSpans = 32;

    internal static void AttendKernel<TDims, TPlanes, TBlocks>(
        ArrayView<Words4> q, ArrayView<Words4> keys, ArrayView<Words4> values, ArrayView<int> positions, ArrayView<int> starts, ArrayView<int> tables,
        ArrayView<float> sinks,
        ArrayView<Words4> result, ArrayView<float> tops, TensorSizes sizes)
        where TDims : struct, IDims where TPlanes : struct, IPlanes where TBlocks : struct, IBlocks
    {
        var sums = SharedMemory.Allocate<Words4>(Warps * 16 * 32);
        var scores = SharedMemory.Allocate<float>(Warps * 32);
        var warp = Group.IdxX >> 5;
        var items = sizes.Units * sizes.StripGroups * sizes.KvHeads * sizes.Spans;
        for (var item = Grid.IdxX; item < items; item += Grid.DimX)
        {
            var group = item / sizes.Spans;
            var span = item - (group * sizes.Spans);
            var strips = group / sizes.KvHeads;
            var head = group - (strips * sizes.KvHeads);
            var unit = strips / sizes.StripGroups;
            // The last strips see most, and begin first.
            var strip = sizes.StripGroups - 1 - (strips - (unit * sizes.StripGroups));
            if (sizes.KeyWarps == 1) strip = (strip * (Group.DimX >> 5)) + warp;
            var rows = Find(sizes, unit, strip, head);
            var queries = LoadQueries<TDims, TPlanes>(q, rows, sizes.Scale);
            var state = default(State);
            (state.LargestA, state.LargestB) = (float.NegativeInfinity, float.NegativeInfinity);

            // A strip of a prompt's first rows may begin with another prompt's last: one sequence after another, in which the others' rows see
            // nothing.
            var token = rows.First;
            var others = false;
            while (token <= rows.Last)
            {
                var reach = new Reach { Table = starts[token], From = int.MaxValue, To = -1, AllTo = int.MaxValue };
                var follows = true;
                while (follows)
                {
                    var position = positions[token];
                    reach.From = IntrinsicMath.Min(reach.From, sizes.FirstSeen(position));
                    reach.To = IntrinsicMath.Max(reach.To, position);
                    reach.AllTo = IntrinsicMath.Min(reach.AllTo, position);
                    token++;
                    follows = token <= rows.Last && starts[IntrinsicMath.Min(token, rows.Last)] == reach.Table;
                }
                others = others || token <= rows.Last;
                if (others) reach.AllTo = -1;
                (reach.ToA, reach.ToB) = (Limit(positions, starts, sizes, rows.IndexA, reach.Table),
                    Limit(positions, starts, sizes, rows.IndexB, reach.Table));
                var end = reach.To;
                if (sizes.Split != 0)
                {
                    var start = reach.From & ~15;
                    var length = TensorSizes.SpanTokens(reach.To + 1 - start);
                    start += span * length;
                    reach.From = IntrinsicMath.Max(reach.From, start);
                    end = IntrinsicMath.Min(end, start + length - 1);
                }
                state = Sweep<TDims, TPlanes, TBlocks>(state, queries, keys, values, tables, sizes, reach, end, head, sizes.KeyWarps == 1 ? 0 : warp);
            }

            Put<TDims>(sums, scores, state);
            Group.Barrier();
            Store<TDims>(sums, scores, sinks, result, tops, sizes, rows, item - (item / sizes.Spans * sizes.Spans));
            Group.Barrier();
        }
    }

    /// <summary>Adds the keys of a sequence, up to <paramref name="end"/>, that fall to this warp.</summary>
    private static State Sweep<TDims, TPlanes, TBlocks>(
        State state, Queries q, ArrayView<Words4> keys, ArrayView<Words4> values, ArrayView<int> tables, TensorSizes sizes, Reach reach, int end,
            int head, int keyWarp)
        where TDims : struct, IDims where TPlanes : struct, IPlanes where TBlocks : struct, IBlocks
    {
        var step = 16 * sizes.KeyWarps;
        var key = (reach.From & ~15) + (16 * keyWarp);
        var last = end & ~15;
        if (key > last) return state;

        var spot = Find<TDims, TBlocks>(sizes, head, key, Page<TBlocks>(tables, sizes, reach, key));
        var k = LoadKeys<TDims, TBlocks>(keys, tables, sizes, reach, head, spot);
        var page = Page<TBlocks>(tables, sizes, reach, IntrinsicMath.Min(key + step, last));
        while (key <= last)
        {
            // Values are on their way while scores are made, the next keys while probabilities are; the last keys are asked for again, which costs
            // little.
            var v = LoadValues<TDims, TBlocks>(values, tables, sizes, reach, head, spot);
            var s = Score<TDims, TPlanes>(q, k);
            spot = Find<TDims, TBlocks>(sizes, head, IntrinsicMath.Min(key + step, last), page);
            k = LoadKeys<TDims, TBlocks>(keys, tables, sizes, reach, head, spot);
            page = Page<TBlocks>(tables, sizes, reach, IntrinsicMath.Min(key + (2 * step), last));
            if (key <= reach.To - sizes.Window || key + 15 > reach.AllTo) s = Hide(s, reach, sizes.Window, key);

            var (largestA, largestB) = (TopOfRow(state.LargestA, s.Low.A, s.Low.B, s.High.A, s.High.B),
                TopOfRow(state.LargestB, s.Low.C, s.Low.D, s.High.C, s.High.D));
            // A row that has seen nothing yet: any finite number will do.
            var (topA, topB) = (largestA > float.NegativeInfinity ? largestA : 0f, largestB > float.NegativeInfinity ? largestB : 0f);
            var (keepA, keepB) = (TensorCore.Exp2(state.LargestA - topA), TensorCore.Exp2(state.LargestB - topB));
            (state.LargestA, state.LargestB) = (largestA, largestB);
            s.Low = Exp2(s.Low, topA, topB);
            s.High = Exp2(s.High, topA, topB);
            state.TotalA = (state.TotalA * keepA) + ((s.Low.A + s.Low.B) + (s.High.A + s.High.B));
            state.TotalB = (state.TotalB * keepB) + ((s.Low.C + s.Low.D) + (s.High.C + s.High.D));
            if (keepA != 1f || keepB != 1f)
            {
                state.First = Multiply(state.First, keepA, keepB);
                if (TDims.Halves > 1) state.Second = Multiply(state.Second, keepA, keepB);
            }

            // Beyond a sequence's end lies what nobody wrote. Its probability is 0, but 0 · NaN is none.
            if (TBlocks.Aligned && key + 15 > reach.To)
            {
                v.First = Hide(v.First, reach.To - key);
                if (TDims.Halves > 1) v.Second = Hide(v.Second, reach.To - key);
            }
            var high = Pack(s);
            state.First = Weigh(state.First, high, v.First);
            if (TDims.Halves > 1) state.Second = Weigh(state.Second, high, v.Second);
            if (TPlanes.Count > 1)
            {
                var rest = Rest(s, high);
                state.First = Weigh(state.First, rest, v.First);
                if (TDims.Halves > 1) state.Second = Weigh(state.Second, rest, v.Second);
            }
            key += step;
        }
        return state;
    }

    private static Rows Find(TensorSizes sizes, int unit, int strip, int head)
    {
        var (first, count, token) = (strip * 16, sizes.UnitTokens * sizes.Share, sizes.First + (unit * sizes.UnitTokens));
        var row = first + ((Group.IdxX & 31) >> 2);
        return new Rows
        {
            First = token + (first / sizes.Share),
            Last = token + (IntrinsicMath.Min(first + 15, count - 1) / sizes.Share),
            IndexA = row < count ? Index(sizes, token, head, row) : -1,
            IndexB = row + 8 < count ? Index(sizes, token, head, row + 8) : -1,
        };
    }

    private static int Index(TensorSizes sizes, int token, int head, int row)
    {
        var tokens = row / sizes.Share;
        return ((token + tokens) * sizes.Heads) + (head * sizes.Share) + row - (tokens * sizes.Share);
    }

    /// <summary>The last position of a sequence that a row sees.</summary>
    private static int Limit(ArrayView<int> positions, ArrayView<int> starts, TensorSizes sizes, int index, int table)
    {
        if (index < 0) return int.MaxValue;
        var token = index / sizes.Heads;
        return starts[token] == table ? positions[token] : -1;
    }
}
