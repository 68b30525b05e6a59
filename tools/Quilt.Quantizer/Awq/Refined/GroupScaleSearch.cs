using System.Buffers;
using System.Runtime.Intrinsics;
using Quilt.Kernels.Devices;

namespace Quilt.Quantizer.Awq.Refined;

/// <summary>
/// The scale of each group of codes that keeps Σ importance[c] · (w[c] − code[c] · scale)² least: of 15 shares of the group's largest value, then one
/// step of least squares from the best of them. The largest value keeps an outermost code, so that a group still uses its whole range.
/// </summary>
internal static class GroupScaleSearch
{
    private const int RowsAnItem = 16;

    // The scale of plain rounding first; then more and less of it, and clipping.
    private static readonly float[] Shares =
    [
        1 / 7.5f, 1 / 8.5f, 1 / 8f, 1 / 7.75f, 1 / 7.25f, 1 / 7f, 0.95f / 7, 0.9f / 7, 0.85f / 7, 0.8f / 7, 0.75f / 7, 0.7f / 7,
    ];

    /// <summary>Fills <paramref name="into"/> [rows, groups] for W[n, k] · columnScales[k] / rowDivisors[n].</summary>
    /// <param name="pool">Who works.</param>
    /// <param name="coder">How rows are quantized; symmetric.</param>
    /// <param name="values">W [rows, columns].</param>
    /// <param name="columnScales">[columns].</param>
    /// <param name="rowDivisors">[rows]; empty: ones.</param>
    /// <param name="importance">[columns] mean square of the input that meets the scaled column.</param>
    /// <param name="into">[rows, groups].</param>
    public static void Run(WorkPool pool, RowCoder coder, float[] values, float[] columnScales, float[] rowDivisors, float[] importance, float[] into)
    {
        var job = new Job(coder, values, columnScales, rowDivisors, importance, into);
        pool.Run(((into.Length / coder.Groups) + RowsAnItem - 1) / RowsAnItem, ref job);
    }

    private readonly struct Job(RowCoder coder, float[] values, float[] columnScales, float[] rowDivisors, float[] importance, float[] into) : IJob
    {
        public void Execute(int item)
        {
            var (columns, groups, group) = (columnScales.Length, coder.Groups, coder.Group);
            var rows = into.Length / groups;
            var rented = ArrayPool<float>.Shared.Rent(columns);
            var row = rented.AsSpan(0, columns);
            for (var r = item * RowsAnItem; r < Math.Min((item + 1) * RowsAnItem, rows); r++)
            {
                coder.Scale(values.AsSpan(r * columns, columns), columnScales, rowDivisors.Length == 0 ? 1 : rowDivisors[r], row);
                var found = into.AsSpan(r * groups, groups);
                coder.FindScales(row, found, default);
                for (var g = 0; g < groups; g++)
                    found[g] = Best(row.Slice(g * group, group), importance.AsSpan(g * group, group), found[g]);
            }
            ArrayPool<float>.Shared.Return(rented);
        }

        private float Best(ReadOnlySpan<float> w, ReadOnlySpan<float> weights, float plain)
        {
            var largest = 0f;
            foreach (var value in w) largest = Math.Max(largest, Math.Abs(value));
            if (largest == 0) return plain;
            var (low, high) = (-(float)(1 << (coder.Bits - 1)), (1 << (coder.Bits - 1)) - 1f);
            var (best, least) = (plain, Error(w, weights, plain, low, high, out _, out _));
            var unit = 15f / ((2 * high) + 1);                       // the shares are those of four bits
            foreach (var share in Shares)
            {
                var scale = coder.Round(largest * share * unit);
                if (scale > 0 && scale != best) Try(w, weights, scale, low, high, ref best, ref least);
            }
            Error(w, weights, best, low, high, out var across, out var square);
            if (square > 0 && coder.Round(across / square) is var fitted && fitted > 0 && fitted <= largest / high && float.IsFinite(fitted))
                Try(w, weights, fitted, low, high, ref best, ref least);
            return best;
        }

        private static void Try(ReadOnlySpan<float> w, ReadOnlySpan<float> weights, float scale, float low, float high, ref float best, ref float least)
        {
            var error = Error(w, weights, scale, low, high, out _, out _);
            if (error < least) (best, least) = (scale, error);
        }

        /// <summary>The weighted squared error of a scale, and Σ importance · w · code and Σ importance · code², whose quotient fits these codes best.</summary>
        private static float Error(ReadOnlySpan<float> w, ReadOnlySpan<float> weights, float scale, float low, float high, out float across,
            out float square)
        {
            Vector256<float> error = default, product = default, squares = default;
            var (scales, lows, highs) = (Vector256.Create(scale), Vector256.Create(low), Vector256.Create(high));
            var i = 0;
            for (; i <= w.Length - Vector256<float>.Count; i += Vector256<float>.Count)
            {
                var (value, weight) = (Vector256.Create(w[i..]), Vector256.Create(weights[i..]));
                var code = Vector256.Round(Vector256.Min(Vector256.Max(value / scales, lows), highs));
                var d = value - (code * scales);
                error += weight * d * d;
                product += weight * value * code;
                squares += weight * code * code;
            }
            var total = Vector256.Sum(error);
            (across, square) = (Vector256.Sum(product), Vector256.Sum(squares));
            for (; i < w.Length; i++)
            {
                var code = MathF.Round(Math.Clamp(w[i] / scale, low, high));
                var d = w[i] - (code * scale);
                total += weights[i] * d * d;
                across += weights[i] * w[i] * code;
                square += weights[i] * code * code;
            }
            return total;
        }
    }
}
