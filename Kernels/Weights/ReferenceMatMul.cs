using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Kernels.Weights;

/// <summary>The definition of every weight's product: y[t, n] = Σ_k W[n, k] · x[t, k] in double, k ascending, over the dequantized row.</summary>
internal static class ReferenceMatMul
{
    /// <summary>The product of a plain matrix.</summary>
    public static void Run(Weight w, Matrix x, Matrix y)
    {
        var row = new float[w.Columns];
        for (var n = 0; n < w.Rows; n++)
        {
            w.Dequantize(0, n, row);
            for (var t = 0; t < x.Rows; t++) y.Row(t)[n] = Dot(row, x.Row(t));
        }
    }

    /// <summary>The product of the experts that a plan chose.</summary>
    public static void Run(Weight w, Matrix x, ExpertPlan plan, ExpertRows rows, Matrix y)
    {
        var row = new float[w.Columns];
        for (var e = 0; e < w.Experts; e++)
        {
            if (plan.Offsets[e] == plan.Offsets[e + 1]) continue;
            for (var n = 0; n < w.Rows; n++)
            {
                w.Dequantize(e, n, row);
                for (var p = plan.Offsets[e]; p < plan.Offsets[e + 1]; p++)
                {
                    y.Row(p)[n] = Dot(row, x.Row(rows == ExpertRows.Tokens ? plan.PairToken[p] : p));
                }
            }
        }
    }

    private static float Dot(ReadOnlySpan<float> w, ReadOnlySpan<float> x)
    {
        var sum = 0.0;
        for (var k = 0; k < w.Length; k++) sum += (double)w[k] * x[k];
        return (float)sum;
    }
}
