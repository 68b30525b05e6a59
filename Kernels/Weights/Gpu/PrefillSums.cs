using ILGPU;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Weights;

/// <summary>A lane's sums of two tiles of 16 rows with 64 input rows.</summary>
internal struct PrefillSums
{
    public Eight Low;
    public Eight High;

    /// <summary>Writes one tile; input rows from <paramref name="end"/> on and rows that the matrix has not are passed over.</summary>
    public static void Store(ArrayView<float> y, GpuWeightView w, int tile, int pair, int end, Eight sums)
    {
        Store(y, w, tile, pair, end, sums.A);
        Store(y, w, tile, pair + 8, end, sums.B);
        Store(y, w, tile, pair + 16, end, sums.C);
        Store(y, w, tile, pair + 24, end, sums.D);
        Store(y, w, tile, pair + 32, end, sums.E);
        Store(y, w, tile, pair + 40, end, sums.F);
        Store(y, w, tile, pair + 48, end, sums.G);
        Store(y, w, tile, pair + 56, end, sums.H);
    }

    private static void Store(ArrayView<float> y, GpuWeightView w, int tile, int pair, int end, Acc4 sum)
    {
        var lane = Group.IdxX & 31;
        var row = (tile * 16) + (lane >> 2);
        var token = pair + (2 * (lane & 3));
        var at = ((long)token * w.Rows) + row;
        if (token < end && row < w.Rows) y[at] = sum.A;
        if (token + 1 < end && row < w.Rows) y[at + w.Rows] = sum.B;
        if (token < end && row + 8 < w.Rows) y[at + 8] = sum.C;
        if (token + 1 < end && row + 8 < w.Rows) y[at + w.Rows + 8] = sum.D;
    }

    /// <summary>Sums of one tile with 64 input rows, eight a field.</summary>
    internal struct Eight
    {
        public Acc4 A;
        public Acc4 B;
        public Acc4 C;
        public Acc4 D;
        public Acc4 E;
        public Acc4 F;
        public Acc4 G;
        public Acc4 H;
    }
}
