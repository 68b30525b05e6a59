using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Quilt.Quantizer.Awq.Match;

/// <summary>
/// Products summed as a processor with bfloat16 instructions sums them (Intel's manual, VDPBF16PS): in float32, column after column, of each pair of
/// columns the second first. A sum is then rounded to bfloat16, and where it lies between two of those the order decides; the runs that are matched
/// were made in this one. Exact, not fast: what need not match goes through the kernels of inference.
/// </summary>
internal static class MatchedProduct
{
    private const int Lanes = 16;
    private const int TokensAtOnce = 4;

    /// <summary>y[t, n] = Σ_k W[n, k] · x[t, k].</summary>
    /// <param name="weight">[rows, columns].</param>
    /// <param name="rows">Outputs.</param>
    /// <param name="x">[tokens, columns].</param>
    /// <param name="y">[tokens, rows].</param>
    public static void Run(float[] weight, int rows, float[] x, float[] y)
    {
        if (y.Length == 0) return;
        var columns = weight.Length / rows;
        Parallel.For(0, (rows + Lanes - 1) / Lanes, () => new float[columns * Lanes], (block, _, tile) =>
        {
            Fill(tile, weight, rows, columns, block * Lanes);
            Multiply(tile, columns, x, y, rows, block * Lanes);
            return tile;
        }, _ => { });
    }

    // Sixteen rows side by side, [columns, 16], in the order in which columns are summed.
    private static void Fill(float[] tile, float[] weight, int rows, int columns, int first)
    {
        Array.Clear(tile);
        for (var lane = 0; lane < Math.Min(Lanes, rows - first); lane++)
        {
            var row = weight.AsSpan((first + lane) * columns, columns);
            for (var k = 0; k < columns; k++) tile[(k * Lanes) + lane] = row[Column(k, columns)];
        }
    }

    /// <summary>The column that is summed k-th.</summary>
    private static int Column(int k, int columns) => (k ^ 1) < columns ? k ^ 1 : k;

    private static void Multiply(float[] tile, int columns, float[] x, float[] y, int rows, int first)
    {
        var weights = MemoryMarshal.Cast<float, Vector512<float>>(tile);
        var sums = (stackalloc Vector512<float>[TokensAtOnce]);
        var lanes = (stackalloc float[Lanes]);
        var count = Math.Min(Lanes, rows - first);
        for (var t = 0; t < y.Length / rows; t += TokensAtOnce)
        {
            var tokens = Math.Min(TokensAtOnce, (y.Length / rows) - t);
            sums.Clear();
            for (var k = 0; k < columns; k++)
            {
                var column = Column(k, columns);
                for (var i = 0; i < tokens; i++) sums[i] += weights[k] * x[((t + i) * columns) + column];
            }
            for (var i = 0; i < tokens; i++)
            {
                sums[i].CopyTo(lanes);
                lanes[..count].CopyTo(y.AsSpan(((t + i) * rows) + first));
            }
        }
    }
}
