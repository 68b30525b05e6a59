using System.Runtime.InteropServices;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;

namespace Quilt.Quantizer.Awq.Refined;

/// <summary>A matrix of plain float32 in the tiles that inference multiplies with, filled anew for every expert.</summary>
internal sealed class PlainWeight(int rows, int columns) : IDisposable
{
    private const int RowsAnItem = 16;
    private readonly Float32Weight weight = new("plain", 1, rows, columns);

    /// <summary>Takes W [rows, columns].</summary>
    public void Set(WorkPool pool, float[] values)
    {
        var job = new Job(weight, values);
        pool.Run((rows + RowsAnItem - 1) / RowsAnItem, ref job);
    }

    /// <summary>What multiplies.</summary>
    public Weight Inner => weight;

    /// <summary>y = W · x.</summary>
    public void MatMul(OpStream ops, Matrix x, Matrix y) => weight.MatMul(ops, x, y);

    public void Dispose() => weight.Dispose();

    private readonly struct Job(Float32Weight weight, float[] values) : IJob
    {
        public void Execute(int item)
        {
            for (var row = item * RowsAnItem; row < Math.Min((item + 1) * RowsAnItem, weight.Rows); row++)
                TileWords.Place(MemoryMarshal.Cast<float, uint>(values.AsSpan(row * weight.Columns, weight.Columns)), weight, 0, row);
        }
    }
}
