using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal static partial class TakeOutOp
{
    /// <summary>The definition: all are read before any is changed.</summary>
    internal static void Reference(Matrix x, ReadOnlySpan<int> places, Matrix into)
    {
        for (var i = 0; i < places.Length; i++) into.Values[i] = x.Row(places[i] / x.Columns)[places[i] % x.Columns];
        foreach (var place in places) x.Row(place / x.Columns)[place % x.Columns] = float.NegativeInfinity;
    }
}
