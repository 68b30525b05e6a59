using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class CombineOp
{
    /// <summary>The definition, in double.</summary>
    internal static void Reference(Matrix pairs, ExpertPlan plan, Matrix into)
    {
        for (var t = 0; t < plan.Tokens; t++)
        {
            for (var c = 0; c < into.Columns; c++)
            {
                var sum = 0.0;
                for (var i = t * plan.PerToken; i < (t + 1) * plan.PerToken; i++) sum += (double)plan.Gates[i] * pairs.Row(plan.PairOf[i])[c];
                into.Row(t)[c] = (float)sum;
            }
        }
    }
}
