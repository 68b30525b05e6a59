using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Weights;

/// <summary>What the kernels with matrix instructions share: a lane's part of 64 columns of a tile of 16 rows.</summary>
internal static class TensorTile<T, TScales> where T : struct, IGpuFormat where TScales : struct, IGpuScales
{
    /// <summary>Loads 64 columns: <see cref="IGpuFormat.Loads"/> times sixteen bytes, all under way before the first is used.</summary>
    public static Unit Load(GpuTile w, long tile, int unit, int lane)
    {
        var at = (((tile * w.Chunks) + (unit * T.Loads)) * 32) + lane;
        var loaded = default(Unit);
        loaded.Load0 = TensorCore.LoadOnce(ref w.Words[at]);
        if (T.Loads > 1) loaded.Load1 = TensorCore.LoadOnce(ref w.Words[at + 32]);
        if (T.Loads > 2) loaded.Load2 = TensorCore.LoadOnce(ref w.Words[at + 64]);
        if (T.Loads > 3) loaded.Load3 = TensorCore.LoadOnce(ref w.Words[at + 96]);
        if (TScales.Words > 0)
        {
            loaded.Scales0 = w.Scales2<TScales>(tile, 4 * unit, lane >> 2);
            loaded.Scales1 = w.Scales2<TScales>(tile, (4 * unit) + 2, lane >> 2);
        }
        return loaded;
    }

    /// <summary>The first (0) or second (1) half of a unit, 32 columns, in the form of the matrix instruction.</summary>
    public static Half32 Open(GpuTile w, Unit unit, long tile, int number, int half, int lane)
    {
        var (low, high) = (w.NegativeZero, w.NegativeZero);
        if (T.Bits == 4 && w.HasZeros != 0)
        {
            var segment = ((number * 4) + (2 * half)) >> w.SegmentShift;
            (low, high) = (Both(w.Zero(tile, segment, lane >> 2, 0)), Both(w.Zero(tile, segment, lane >> 2, 1)));
        }
        return new Half32
        {
            First = T.Registers(unit.Load0, unit.Load1, unit.Load2, unit.Load3, 2 * half, low, high),
            Second = T.Registers(unit.Load0, unit.Load1, unit.Load2, unit.Load3, (2 * half) + 1, low, high),
            Scales = half == 0 ? unit.Scales0 : unit.Scales1,
        };
    }

    /// <summary>Adds the product of 32 columns with eight columns of input, times the scales of the lane's two rows.</summary>
    public static Acc4 Add(Acc4 sum, Half32 a, Words4 b)
    {
        if (TScales.Words == 0)
        {
            sum = TensorCore.Multiply(sum, a.First.A, a.First.B, a.First.C, a.First.D, b.A, b.B);
            return TensorCore.Multiply(sum, a.Second.A, a.Second.B, a.Second.C, a.Second.D, b.C, b.D);
        }
        var part = TensorCore.Multiply(default, a.First.A, a.First.B, a.First.C, a.First.D, b.A, b.B);
        part = TensorCore.Multiply(part, a.Second.A, a.Second.B, a.Second.C, a.Second.D, b.C, b.D);
        sum.A += part.A * a.Scales.Low;
        sum.B += part.B * a.Scales.Low;
        sum.C += part.C * a.Scales.High;
        sum.D += part.D * a.Scales.High;
        return sum;
    }

    /// <summary>−(128 + zero) in both halves.</summary>
    private static uint Both(float zero)
    {
        var bits = Interop.FloatAsInt(-(128f + zero));
        return (bits & 0xFFFF0000) | (bits >> 16);
    }

    /// <summary>A lane's part of 64 columns as loaded, and the scales of the first 32 columns and of the others.</summary>
    internal struct Unit
    {
        public Words4 Load0;
        public Words4 Load1;
        public Words4 Load2;
        public Words4 Load3;
        public ScalePair Scales0;
        public ScalePair Scales1;
    }

    /// <summary>32 columns as registers of the matrix instruction, and their scales.</summary>
    internal struct Half32
    {
        public Words4 First;
        public Words4 Second;
        public ScalePair Scales;
    }
}
