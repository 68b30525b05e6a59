using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class AddBiasOp
{
    /// <summary>The definition.</summary>
    internal static void Reference(NativeBuffer bias, Matrix into, ExpertPlan? plan)
    {
        for (var row = 0; row < into.Rows; row++)
        {
            var b = bias.Span<float>((long)(plan?.PairExpert[row] ?? 0) * into.Columns, into.Columns);
            for (var c = 0; c < into.Columns; c++) into.Row(row)[c] += b[c];
        }
    }
}
