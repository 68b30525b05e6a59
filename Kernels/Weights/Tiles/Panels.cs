using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// An input for <see cref="PanelKernel{T, TWidth}"/>: six rows, or four, side by side, in the order in which a weight's codes are visited, [panels,
/// codes, rows]; rows beyond an expert's last are zero. Experts with few rows have no panel: a panel would be mostly padding.
/// </summary>
internal readonly unsafe struct Panels
{
    /// <summary>From how many rows on an expert, or a matrix, has panels.</summary>
    public const int LeastRows = 3;

    private readonly float* data;
    private readonly int* starts;
    private readonly int codes;

    private Panels(float* data, int* starts, int codes)
    {
        this.data = data;
        this.starts = starts;
        this.codes = codes;
    }

    /// <summary>Rows of an expert's panels: six where it has many rows, else whichever of six and four leaves less padding.</summary>
    public int Width(int expert) => starts[(2 * expert) + 1];

    /// <summary>The panel that begins with an expert's row number <paramref name="row"/>.</summary>
    public float* Data(int expert, int row) => data + ((nint)(starts[2 * expert] + row) * codes);

    /// <summary>Lays out x [rows, columns] in the order of its columns, bit by bit: they need not be floats.</summary>
    public static Panels Of(OpStream ops, Matrix x, ExpertPlan? plan, ExpertRows rows) => Of(ops, x, null, x.Columns, 1, plan, rows);

    /// <summary>Lays out x [rows, columns] times a factor, in scratch memory; with a plan, once for every (token, expert) pair.</summary>
    public static Panels Of(OpStream ops, Matrix x, ReadOnlySpan<int> visits, float factor, ExpertPlan? plan, ExpertRows rows)
    {
        fixed (int* order = visits) return Of(ops, x, order, visits.Length, factor, plan, rows);
    }

    private static Panels Of(OpStream ops, Matrix x, int* order, int codes, float factor, ExpertPlan? plan, ExpertRows rows)
    {
        var experts = plan?.Listed ?? 1;
        var starts = (int*)ops.Bytes(2L * experts * sizeof(int));     // [experts] padded rows before an expert's, width of its panels
        var count = 0;
        for (var e = 0; e < experts; e++)
        {
            var n = plan is null ? x.Rows : plan.Offsets[e + 1] - plan.Offsets[e];
            var width = n >= 24 || Padded(n, 6) <= Padded(n, 4) ? 6 : 4;
            (starts[2 * e], starts[(2 * e) + 1]) = (count, width);
            if (n >= LeastRows) count += Padded(n, width);
        }
        var data = (float*)ops.Bytes((long)count * codes * sizeof(float));
        var places = (Place*)ops.Bytes((long)count * sizeof(Place));
        for (var e = 0; e < experts; e++)
        {
            var (from, to) = plan is null ? (0, x.Rows) : (plan.Offsets[e], plan.Offsets[e + 1]);
            if (to - from < LeastRows) continue;
            var width = starts[(2 * e) + 1];
            for (var i = 0; i < Padded(to - from, width); i++)
            {
                var row = from + i >= to ? -1 : plan is not null && rows == ExpertRows.Tokens ? plan.PairToken[from + i] : from + i;
                places[starts[2 * e] + i] = new(row, starts[2 * e] + (i / width * width), i % width, width);
            }
        }
        var job = new Job(x, data, places, order, codes, factor);
        ops.Deal(count, (long)count * codes, ref job);
        return new Panels(data, starts, codes);
    }

    private static int Padded(int rows, int width) => (rows + width - 1) / width * width;

    /// <summary>Where a row goes: which one (−1: padding), padded rows before its panel, its place there, and the panel's width.</summary>
    private readonly record struct Place(int Row, int Panel, int Column, int Width);

    private readonly struct Job(Matrix x, float* data, Place* places, int* order, int codes, float factor) : IJob
    {
        public void Execute(int item)
        {
            var place = places[item];
            var to = data + ((nint)place.Panel * codes) + place.Column;
            if (place.Row < 0)
            {
                for (var k = 0; k < codes; k++) to[(nint)k * place.Width] = 0;
            }
            else if (order is null)
            {
                Copy((uint*)x.RowData(place.Row), (uint*)to, place.Width);
            }
            else
            {
                Multiply(x.RowData(place.Row), to, place.Width);
            }
        }

        private void Copy(uint* from, uint* to, int width)
        {
            for (var k = 0; k < codes; k++, to += width) *to = from[k];
        }

        private void Multiply(float* from, float* to, int width)
        {
            for (var k = 0; k < codes; k++, to += width) *to = order[k] < 0 ? 0 : from[order[k]] * factor;
        }
    }
}
