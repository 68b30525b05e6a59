using System.Runtime.InteropServices;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;

namespace Quilt.Quantizer.Awq;

/// <summary>Products of plain float32 matrices with many rows at once, by the kernels that inference uses.</summary>
internal sealed unsafe class Products(CpuDevice device) : IDisposable
{
    private readonly OpStream ops = new(device);
    private Float32Weight? held;

    /// <summary>y[t, n] = Σ_k W[n, k] · x[t, k], summed in float32.</summary>
    /// <param name="weight">[rows, columns].</param>
    /// <param name="rows">Outputs.</param>
    /// <param name="x">[tokens, columns].</param>
    /// <param name="y">[tokens, rows].</param>
    public void Run(float[] weight, int rows, ReadOnlySpan<float> x, Span<float> y)
    {
        if (y.IsEmpty) return;
        var columns = weight.Length / rows;
        if (held is null || held.Rows != rows || held.Columns != columns)
        {
            held?.Dispose();
            held = new Float32Weight("calibration", 1, rows, columns);
        }
        var fill = new Fill(held, weight);
        device.Pool.Run((rows + Fill.RowsAnItem - 1) / Fill.RowsAnItem, ref fill);
        ops.Reset();
        fixed (float* from = x, to = y) held.MatMul(ops, new Matrix(from, x.Length / columns, columns), new Matrix(to, y.Length / rows, rows));
    }

    public void Dispose()
    {
        held?.Dispose();
        ops.Dispose();
    }

    private readonly struct Fill(Float32Weight weight, float[] values) : IJob
    {
        public const int RowsAnItem = 16;

        public void Execute(int item)
        {
            var end = Math.Min((item + 1) * RowsAnItem, weight.Rows);
            for (var row = item * RowsAnItem; row < end; row++)
                TileWords.Place(MemoryMarshal.Cast<float, uint>(values.AsSpan(row * weight.Columns, weight.Columns)), weight, 0, row);
        }
    }
}
