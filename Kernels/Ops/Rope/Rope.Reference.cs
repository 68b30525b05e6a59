using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class RopeOp
{
    /// <summary>The definition, in double; angles are float32 products.</summary>
    internal static void Reference(Matrix x, int heads, int headDim, RopeTable table, ReadOnlySpan<int> positions)
    {
        var half = table.RotaryDim / 2;
        for (var t = 0; t < x.Rows; t++)
        {
            for (var head = 0; head < heads; head++)
            {
                var u = x.Row(t).Slice(head * headDim, headDim);
                for (var i = 0; i < half; i++)
                {
                    var (sin, cos) = Math.SinCos(positions[t] * table.Frequencies[i]);
                    (sin, cos) = (sin * table.Magnitude, cos * table.Magnitude);
                    var (a, b) = (u[i], u[i + half]);
                    u[i] = (float)((a * cos) - (b * sin));
                    u[i + half] = (float)((b * cos) + (a * sin));
                }
            }
        }
    }
}
