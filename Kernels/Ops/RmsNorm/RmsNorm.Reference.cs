using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class RmsNormOp
{
    /// <summary>The definition, with sums in double.</summary>
    internal static void Reference(Matrix x, NativeBuffer gain, float epsilon, Matrix into)
    {
        var w = gain.Span<float>(0, x.Columns);
        for (var t = 0; t < x.Rows; t++)
        {
            var from = x.Row(t);
            var to = into.Row(t);
            var sum = 0.0;
            foreach (var value in from) sum += (double)value * value;
            var r = 1 / Math.Sqrt((sum / x.Columns) + epsilon);
            for (var c = 0; c < x.Columns; c++) to[c] = (float)(from[c] * r * w[c]);
        }
    }
}
