using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class GatherOp
{
    /// <summary>The definition.</summary>
    internal static void Reference(Matrix x, ReadOnlySpan<int> rows, Matrix into)
    {
        for (var i = 0; i < rows.Length; i++)
        {
            for (var c = 0; c < x.Columns; c++) into.Row(i)[c] = x.Row(rows[i])[c];
        }
    }
}
