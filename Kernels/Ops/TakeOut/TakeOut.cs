using System.Diagnostics;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

/// <summary>y[i] = x[places[i]], which then becomes −∞: what is left competes without them.</summary>
internal static partial class TakeOutOp
{
    /// <summary>
    /// <paramref name="x"/> is [rows, columns] of fewer than 2^31 values, <paramref name="places"/> are row · columns + column, none twice;
    /// <paramref name="into"/> is [1, places].
    /// </summary>
    public static void TakeOut(this OpStream ops, Matrix x, Ints places, Matrix into)
    {
        Debug.Assert((long)into.Rows * into.Columns == places.Length, "take out: a place for each value");
        Debug.Assert((long)x.Rows * x.Columns <= int.MaxValue, "take out: more values than an integer counts");
        if (ops.Gpu is not null)
        {
            RunGpu(ops.Gpu, x, places, into);
            return;
        }
        if (ops.Device.Isa == Isa.Reference)
        {
            Reference(x, places.Host, into);
            return;
        }
        var from = x.Values;
        var to = into.Values;
        for (var i = 0; i < places.Length; i++)
        {
            to[i] = from[places.Host[i]];
            from[places.Host[i]] = float.NegativeInfinity;
        }
    }
}
