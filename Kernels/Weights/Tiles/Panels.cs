using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// An input for <see cref="PanelKernel{T}"/>: six rows side by side, in the order in which a weight's codes are visited, [panels, codes, 6]; rows
/// beyond an expert's last are zero. Experts with few rows have no panel: a panel would be mostly padding.
/// </summary>
internal readonly unsafe struct Panels
{
    /// <summary>Rows of a panel.</summary>
    public const int Width = 6;

    /// <summary>From how many rows on an expert, or a matrix, has panels.</summary>
    public const int LeastRows = 3;

    private readonly float* data;
    private readonly int* firstPanel;
    private readonly int codes;

    private Panels(float* data, int* firstPanel, int codes)
    {
        this.data = data;
        this.firstPanel = firstPanel;
        this.codes = codes;
    }

    /// <summary>The panel that begins with an expert's row number <paramref name="row"/>.</summary>
    public float* Data(int expert, int row) => data + ((nint)(firstPanel[expert] + (row / Width)) * Width * codes);

    /// <summary>Lays out x [rows, columns] times a factor, in scratch memory; with a plan, once for every (token, expert) pair.</summary>
    public static Panels Of(OpStream ops, Matrix x, ReadOnlySpan<int> visits, float factor, ExpertPlan? plan, ExpertRows rows)
    {
        var experts = plan?.Experts ?? 1;
        var firstPanel = (int*)ops.Bytes((experts + 1L) * sizeof(int));
        var count = 0;
        for (var e = 0; e < experts; e++)
        {
            firstPanel[e] = count;
            var n = plan is null ? x.Rows : plan.Offsets[e + 1] - plan.Offsets[e];
            if (n >= LeastRows) count += (n + Width - 1) / Width;
        }
        var data = (float*)ops.Bytes((long)count * Width * visits.Length * sizeof(float));
        var panelRows = (int*)ops.Bytes((long)count * Width * sizeof(int));
        for (var (e, at) = (0, 0); e < experts; e++)
        {
            var (from, to) = plan is null ? (0, x.Rows) : (plan.Offsets[e], plan.Offsets[e + 1]);
            if (to - from < LeastRows) continue;
            for (var p = from; p < from + ((to - from + Width - 1) / Width * Width); p++)
                panelRows[at++] = p >= to ? -1 : plan is not null && rows == ExpertRows.Tokens ? plan.PairToken[p] : p;
        }
        fixed (int* order = visits)
        {
            var job = new Job(x, data, panelRows, order, visits.Length, factor);
            ops.Deal(count, (long)count * Width * visits.Length, ref job);
        }
        return new Panels(data, firstPanel, visits.Length);
    }

    private readonly struct Job(Matrix x, float* data, int* panelRows, int* order, int codes, float factor) : IJob
    {
        public void Execute(int panel)
        {
            var to = data + ((nint)panel * Width * codes);
            for (var i = 0; i < Width; i++)
            {
                var row = panelRows[(panel * Width) + i];
                var from = row < 0 ? null : x.RowData(row);
                for (var k = 0; k < codes; k++)
                {
                    var column = order[k];
                    to[(k * Width) + i] = from is null || column < 0 ? 0 : from[column] * factor;
                }
            }
        }
    }
}
