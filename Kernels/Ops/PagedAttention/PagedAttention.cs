using System.Diagnostics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Ops;

/// <summary>
/// y[t, h] = Σ_i p_i · v_i, p = softmax over i of scale · q[t, h] · k_i, i from 0, or the first of the last <c>window</c> positions, to position t of
/// the token's own sequence. Query head h reads key and value head h / (heads / kvHeads). A sink is one more score of a head that takes its part of
/// the softmax and has no value.
/// </summary>
/// <remarks>
/// Keys are taken in groups of 16, groups in spans of <see cref="SpanGroups"/>, spans in stretches of <see cref="StretchSpans"/>, all counted from
/// the start of the sequence. Each span has a softmax of its own; the spans of a stretch are merged in their order, then the stretches in theirs.
/// That order belongs to the row: neither other rows, nor the cutting of a prompt, nor the number of threads changes a bit. Threads share a row by
/// stretches. The cache's blocks: PagedAttention (Kwon et al., 2023, https://arxiv.org/abs/2309.06180), merged softmax: FlashAttention
/// (Dao et al., 2022, https://arxiv.org/abs/2205.14135).
/// </remarks>
internal static partial class PagedAttentionOp
{
    /// <summary>Groups of 16 tokens that share one softmax: the scores of a strip stay in the second-level cache.</summary>
    private const int SpanGroups = 16;

    /// <summary>Spans whose merged result is what one thread hands another: few bytes beside the keys and values it is made of.</summary>
    private const int StretchSpans = 4;

    /// <summary>Floats from one row of scores to the next; no power of two, which would crowd rows into a few sets of the cache.</summary>
    private const int ScoreStride = (16 * SpanGroups) + 16;

    /// <summary>Rows (tokens of one sequence times query heads of one key head) that share each load of keys and values.</summary>
    private const int StripRows = 48;

    private const int MostHeads = 16;

    /// <summary>
    /// q and <paramref name="into"/> are [tokens, heads · headDim]. Token t is at positions[t] of a sequence whose block ids stand in
    /// <paramref name="tables"/> from tableStarts[t] on; its own key and value are already written.
    /// </summary>
    /// <param name="ops">Where.</param>
    /// <param name="q">Queries.</param>
    /// <param name="heads">Query heads.</param>
    /// <param name="kv">Keys and values.</param>
    /// <param name="positions">[tokens]</param>
    /// <param name="tableStarts">[tokens]</param>
    /// <param name="tables">Block ids.</param>
    /// <param name="scale">What a product of query and key is multiplied with.</param>
    /// <param name="into">Result; may be <paramref name="q"/>.</param>
    /// <param name="window">Positions that a token sees, its own included.</param>
    /// <param name="sinks">float32 [heads], or null.</param>
    public static void PagedAttention(
        this OpStream ops,
        Matrix q,
        int heads,
        KvLayer kv,
        Ints positions,
        Ints tableStarts,
        Ints tables,
        float scale,
        Matrix into,
        int window = int.MaxValue,
        NativeBuffer? sinks = null)
    {
        Debug.Assert(window > 0, "attention: a token sees at least itself");
        Debug.Assert(sinks is null || sinks.Bytes >= (long)heads * sizeof(float), "attention: one sink a head");
        Debug.Assert(q.Columns == heads * kv.HeadDim && into.Columns == q.Columns && into.Rows == q.Rows, "attention: shapes differ");
        Debug.Assert(positions.Length == q.Rows && tableStarts.Length == q.Rows, "attention: one position and one table a token");
        Debug.Assert(heads % kv.KvHeads == 0, "attention: query heads are no multiple of key heads");
        if (ops.Gpu is not null)
        {
            RunGpu(ops.Gpu, q, heads, kv, positions, tableStarts, tables, scale, into, window, sinks);
            return;
        }
        using var watch = ops.Watch(StepPart.Attention);
        CountCost(ops, heads, kv, positions, tableStarts, window);
        switch (ops.Device.Isa, kv.Type)
        {
            case (Isa.Avx512, KvType.Float32):
                Run<Vector16x1, Float32>(ops, q, heads, kv, positions.Host, tableStarts.Host, tables.Host, scale, into, window, sinks);
                break;
            case (Isa.Avx512, KvType.BFloat16):
                Run<Vector16x1, BFloat>(ops, q, heads, kv, positions.Host, tableStarts.Host, tables.Host, scale, into, window, sinks);
                break;
            case (Isa.Avx512, KvType.Fp8):
                Run<Vector16x1, Float8>(ops, q, heads, kv, positions.Host, tableStarts.Host, tables.Host, scale, into, window, sinks);
                break;
            case (Isa.Avx2 or Isa.AvxVnni, KvType.Float32):
                Run<Vector16x2, Float32>(ops, q, heads, kv, positions.Host, tableStarts.Host, tables.Host, scale, into, window, sinks);
                break;
            case (Isa.Avx2 or Isa.AvxVnni, KvType.BFloat16):
                Run<Vector16x2, BFloat>(ops, q, heads, kv, positions.Host, tableStarts.Host, tables.Host, scale, into, window, sinks);
                break;
            case (Isa.Avx2 or Isa.AvxVnni, KvType.Fp8):
                Run<Vector16x2, Float8>(ops, q, heads, kv, positions.Host, tableStarts.Host, tables.Host, scale, into, window, sinks);
                break;
            case (Isa.Neon, KvType.Float32):
                Run<Vector16x4, Float32>(ops, q, heads, kv, positions.Host, tableStarts.Host, tables.Host, scale, into, window, sinks);
                break;
            case (Isa.Neon, KvType.BFloat16):
                Run<Vector16x4, BFloat>(ops, q, heads, kv, positions.Host, tableStarts.Host, tables.Host, scale, into, window, sinks);
                break;
            case (Isa.Neon, KvType.Fp8):
                Run<Vector16x4, Float8>(ops, q, heads, kv, positions.Host, tableStarts.Host, tables.Host, scale, into, window, sinks);
                break;
            default: Reference(q, heads, kv, positions.Host, tableStarts.Host, tables.Host, scale, into, window, sinks); break;
        }
    }

    private static unsafe void Run<T, TCached>(
        OpStream ops,
        Matrix q,
        int heads,
        KvLayer kv,
        ReadOnlySpan<int> positions,
        ReadOnlySpan<int> tableStarts,
        ReadOnlySpan<int> tables,
        float scale,
        Matrix into,
        int window,
        NativeBuffer? sinks)
        where T : unmanaged, IVector16<T> where TCached : ICached
    {
        var mark = ops.Mark();
        var perKey = heads / kv.KvHeads;
        var parts = (perKey + MostHeads - 1) / MostHeads;
        var stripHeads = (perKey + parts - 1) / parts;
        var starts = (int*)ops.Bytes((q.Rows + 1L) * sizeof(int));
        var strips = CutStrips(positions, tableStarts, Math.Max(1, StripRows / stripHeads), starts);
        fixed (int* p = positions, s = tableStarts, table = tables)
        {
            var work = new Job<T, TCached>
            {
                Q = q, Into = into, Kv = kv, Positions = p, TableStarts = s, Tables = table, StripStarts = starts, Strips = strips, Scale = scale,
                PerKey = perKey, Parts = parts, StripHeads = stripHeads, Window = window, Sinks = sinks is null ? null : (float*)sinks.Data,
            };
            var cut = Cut(ops, ref work);
            ops.Deal(cut.Pieces, 2 * cut.Seen * kv.HeadDim, ref work);
            if (cut.Shared > 0)
            {
                var merge = new MergeJob<T, TCached>(work);
                ops.Deal(cut.Shared, cut.Results, ref merge);
            }
        }
        ops.Release(mark);
    }

    /// <summary>
    /// Neighbouring tokens of one sequence share a strip. Writes the first token of each, and the number of tokens at the end; returns how many.
    /// </summary>
    private static unsafe int CutStrips(ReadOnlySpan<int> positions, ReadOnlySpan<int> tableStarts, int most, int* starts)
    {
        var strips = 0;
        for (var t = 0; t < positions.Length; t++)
        {
            var follows = t > 0 && tableStarts[t] == tableStarts[t - 1] && positions[t] == positions[t - 1] + 1 && t - starts[strips - 1] < most;
            if (!follows) starts[strips++] = t;
        }
        starts[strips] = positions.Length;
        return strips;
    }

    /// <summary>The first position that a position sees.</summary>
    private static int FirstSeen(int position, int window) => Math.Max(0, position - window + 1);

    /// <summary>The group that holds a position, counted over the sequence.</summary>
    private static int KeyGroupOf(KvLayer kv, int position) =>
        (position / kv.BlockTokens * kv.Groups) + (position % kv.BlockTokens / KvLayer.GroupTokens);
}
