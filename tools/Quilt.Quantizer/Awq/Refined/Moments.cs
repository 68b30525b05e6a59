using System.Numerics.Tensors;
using Quilt.Kernels.Devices;

namespace Quilt.Quantizer.Awq.Refined;

/// <summary>Sums over tokens, each of which counts by a weight of its own, and over rows of weights.</summary>
internal static class Moments
{
    /// <summary>Σ_t weight_t · Σ_c factor_c · (wanted − found)²; no factors are ones. A row's sum is of float32.</summary>
    public static double WeightedError(Matrix wanted, Matrix found, float[] weights, float[] factors)
    {
        var total = 0.0;
        var difference = new float[wanted.Columns];
        for (var t = 0; t < wanted.Rows; t++)
        {
            TensorPrimitives.Subtract(wanted.Row(t), found.Row(t), difference);
            if (factors.Length > 0)
            {
                TensorPrimitives.Multiply(difference, difference, difference);
                total += weights[t] * TensorPrimitives.Dot(difference, factors);
            }
            else total += weights[t] * TensorPrimitives.SumOfSquares(difference);
        }
        return total;
    }

    /// <summary>√(Σ_t weight_t · |wanted − found|² / Σ_t weight_t · |wanted|²); 0 where nothing is wanted.</summary>
    public static double Relative(Matrix wanted, Matrix found, float[] weights)
    {
        var size = 0.0;
        for (var t = 0; t < wanted.Rows; t++) size += weights[t] * TensorPrimitives.SumOfSquares(wanted.Row(t));
        return size > 0 ? Math.Sqrt(WeightedError(wanted, found, weights, []) / size) : 0;
    }

    /// <summary>[columns] Σ_t weight_t · (x / by)² / Σ weights.</summary>
    public static float[] MeanSquares(Matrix x, float[] weights, float[] by)
    {
        var sums = new double[x.Columns];
        for (var t = 0; t < x.Rows; t++)
        {
            var row = x.Row(t);
            for (var c = 0; c < sums.Length; c++) sums[c] += (double)weights[t] * row[c] * row[c];
        }
        var total = Math.Max(weights.Sum(weight => (double)weight), double.Epsilon);
        return [.. sums.Select((sum, c) => (float)(sum / total / ((double)by[c] * by[c])))];
    }

    /// <summary>[columns] Σ_t weight_t · |x| / Σ weights.</summary>
    public static double[] WeightedSizes(Matrix x, float[] weights)
    {
        var sums = new double[x.Columns];
        for (var t = 0; t < x.Rows; t++)
        {
            var row = x.Row(t);
            for (var c = 0; c < sums.Length; c++) sums[c] += (double)weights[t] * Math.Abs(row[c]);
        }
        var total = Math.Max(weights.Sum(weight => (double)weight), double.Epsilon);
        return Array.ConvertAll(sums, sum => sum / total);
    }

    /// <summary>[columns] the mean of |x| over the rows of an input.</summary>
    public static double[] MeanSizes(float[] input, int columns)
    {
        var sums = new double[columns];
        for (var start = 0; start < input.Length; start += columns)
        {
            for (var c = 0; c < columns; c++) sums[c] += Math.Abs(input[start + c]);
        }
        return Array.ConvertAll(sums, sum => sum * columns / input.Length);
    }

    /// <summary>[columns] Σ over rows of w².</summary>
    public static float[] ColumnSquares(float[] weight, int columns)
    {
        var sums = new float[columns];
        for (var start = 0; start < weight.Length; start += columns)
        {
            for (var c = 0; c < columns; c++) sums[c] += weight[start + c] * weight[start + c];
        }
        return sums;
    }

    /// <summary>As many ones.</summary>
    public static float[] Ones(int count)
    {
        var ones = new float[count];
        Array.Fill(ones, 1f);
        return ones;
    }
}
