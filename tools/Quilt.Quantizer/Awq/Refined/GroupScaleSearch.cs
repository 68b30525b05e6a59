using System.Buffers;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Quilt.Kernels.Devices;

namespace Quilt.Quantizer.Awq.Refined;

/// <summary>
/// The scale of each group of codes that keeps Σ importance[c] · (w[c] − code[c] · scale)² least: of some shares of the group's largest value, then
/// one step of least squares from the best of them. The largest value keeps an outermost code, so that a group still uses its whole range.
/// </summary>
internal static class GroupScaleSearch
{
    private const int RowsAnItem = 16;

    // The scale of plain rounding, then more and less of it, and clipping.
    private static readonly float[] AllShares =
    [
        1 / 7.5f, 1 / 8.5f, 1 / 8f, 1 / 7.75f, 1 / 7.25f, 1 / 7f, 0.95f / 7, 0.9f / 7, 0.85f / 7, 0.8f / 7, 0.75f / 7, 0.7f / 7,
    ];

    private static readonly float[] FewShares = [1 / 7.5f, 1 / 8f, 1 / 7f, 0.9f / 7, 0.8f / 7];

    /// <summary>Fills <paramref name="into"/> [rows, groups] for W[n, k] · columnScales[k] / rowDivisors[n].</summary>
    /// <param name="pool">Who works.</param>
    /// <param name="coder">How rows are quantized; symmetric.</param>
    /// <param name="values">W [rows, columns].</param>
    /// <param name="columnScales">[columns].</param>
    /// <param name="rowDivisors">[rows]; empty: ones.</param>
    /// <param name="importance">[columns] mean square of the input that meets the scaled column.</param>
    /// <param name="into">[rows, groups].</param>
    /// <param name="quick">Only some shares and no fit: near enough to compare weights by, in a third of the time.</param>
    public static void Run(WorkPool pool, RowCoder coder, float[] values, float[] columnScales, float[] rowDivisors, float[] importance, float[] into,
        bool quick = false)
    {
        var job = new Job(coder, values, columnScales, rowDivisors, importance, into, quick);
        pool.Run(((into.Length / coder.Groups) + RowsAnItem - 1) / RowsAnItem, ref job);
    }

    private readonly struct Job(RowCoder coder, float[] values, float[] columnScales, float[] rowDivisors, float[] importance, float[] into,
        bool quick)
        : IJob
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
            var largest = MathF.Abs(TensorPrimitives.MaxMagnitude(w));
            if (largest == 0) return plain;
            var (low, high) = (-(float)(1 << (coder.Bits - 1)), (1 << (coder.Bits - 1)) - 1f);
            var (best, least) = (plain, Error(w, weights, plain, low, high));
            var unit = 15f / ((2 * high) + 1);                       // the shares are those of four bits
            var reach = coder.Bits == 4 ? high - 0.25f : high;       // what still rounds to the outermost code, in eight bits of bfloat16
            foreach (var share in quick ? FewShares : AllShares)
            {
                var scale = coder.Round(largest * share * unit);
                if (scale > 0 && scale != best && largest / scale >= reach) Try(w, weights, scale, low, high, ref best, ref least);
            }
            if (quick) return best;
            if (coder.Round(Fit(w, weights, best, low, high)) is var fitted && fitted > 0 && largest / fitted >= reach)
                Try(w, weights, fitted, low, high, ref best, ref least);
            return best;
        }

        private static void Try(ReadOnlySpan<float> w, ReadOnlySpan<float> weights, float scale, float low, float high, ref float best,
            ref float least)
        {
            var error = Error(w, weights, scale, low, high);
            if (error < least) (best, least) = (scale, error);
        }

        /// <summary>The weighted squared error of a scale.</summary>
        private static float Error(ReadOnlySpan<float> w, ReadOnlySpan<float> weights, float scale, float low, float high)
        {
            ref var values = ref MemoryMarshal.GetReference(w);
            ref var importances = ref MemoryMarshal.GetReference(weights);
            Vector512<float> even = default, odd = default;
            var (scales, inverse) = (Vector512.Create(scale), Vector512.Create(1 / scale));
            var (lows, highs) = (Vector512.Create(low), Vector512.Create(high));
            var i = 0;
            for (; i <= w.Length - 32; i += 32)
            {
                even += Term(Vector512.LoadUnsafe(ref values, (nuint)i), Vector512.LoadUnsafe(ref importances, (nuint)i), scales, inverse, lows,
                    highs);
                odd += Term(Vector512.LoadUnsafe(ref values, (nuint)i + 16), Vector512.LoadUnsafe(ref importances, (nuint)i + 16), scales, inverse,
                    lows, highs);
            }
            var total = Vector512.Sum(even + odd);
            for (; i < w.Length; i++)
            {
                var d = w[i] - (MathF.Round(Math.Clamp(w[i] / scale, low, high)) * scale);
                total += weights[i] * d * d;
            }
            return total;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector512<float> Term(Vector512<float> value, Vector512<float> weight, Vector512<float> scale, Vector512<float> inverse,
            Vector512<float> low, Vector512<float> high)
        {
            var code = Vector512.Round(Vector512.Min(Vector512.Max(value * inverse, low), high));
            var d = value - (code * scale);
            return weight * d * d;
        }

        /// <summary>
        /// The scale that fits the codes of another one best: Σ importance · w · code / Σ importance · code²; 0 where all codes are.
        /// </summary>
        private static float Fit(ReadOnlySpan<float> w, ReadOnlySpan<float> weights, float scale, float low, float high)
        {
            ref var values = ref MemoryMarshal.GetReference(w);
            ref var importances = ref MemoryMarshal.GetReference(weights);
            Vector512<float> products = default, squares = default;
            var (inverse, lows, highs) = (Vector512.Create(1 / scale), Vector512.Create(low), Vector512.Create(high));
            var i = 0;
            for (; i <= w.Length - 16; i += 16)
            {
                var value = Vector512.LoadUnsafe(ref values, (nuint)i);
                var code = Vector512.Round(Vector512.Min(Vector512.Max(value * inverse, lows), highs));
                var weighted = Vector512.LoadUnsafe(ref importances, (nuint)i) * code;
                products += weighted * value;
                squares += weighted * code;
            }
            var (across, square) = (Vector512.Sum(products), Vector512.Sum(squares));
            for (; i < w.Length; i++)
            {
                var code = MathF.Round(Math.Clamp(w[i] / scale, low, high));
                across += weights[i] * w[i] * code;
                square += weights[i] * code * code;
            }
            return square > 0 ? across / square : 0;
        }
    }
}
