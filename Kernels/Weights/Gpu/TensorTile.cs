using ILGPU;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Weights;

/// <summary>How many mma instructions in turn a product of one input takes.</summary>
internal interface IPlanes
{
    static abstract int Count { get; }
}

/// <summary>The input is one bfloat16, or its two stand side by side as columns.</summary>
internal readonly struct OnePlane : IPlanes
{
    public static int Count => 1;
}

/// <summary>The input is two bfloat16, the value and what rounding took.</summary>
internal readonly struct TwoPlanes : IPlanes
{
    public static int Count => 2;
}

/// <summary>
/// What the tensor-core kernels share: a lane's part of a tile of 16 rows, taken in units of 64 columns. It is found once a tile; inside
/// a loop over units addresses are 32-bit steps from there, since 64-bit products of indices would cost more than the arithmetic on the codes.
/// </summary>
internal static class TensorTile<T, TScales> where T : struct, IGpuFormat where TScales : struct, IGpuScales
{
    /// <summary>The part of a lane.</summary>
    public static Part Of(GpuWeightView w, long tile, int lane)
    {
        var part = default(Part);
        part.Words = w.Words.SubView((tile * w.Chunks * 32) + lane);
        part.NegativeZero = w.NegativeZero;
        part.Shift = w.SegmentShift;
        var segment = (tile * w.Segments * 8) + (lane >> 2);
        part.Scales = TScales.Words == 0 ? w.Scales : w.Scales.SubView(segment * TScales.Words);
        part.Zeros = TScales.Zeros ? w.Zeros.SubView(segment) : w.Zeros;
        return part;
    }

    /// <summary>Loads 64 columns: <see cref="IGpuFormat.Loads"/> times sixteen bytes, all under way before the first is used.</summary>
    public static Unit Load(Part part, int unit)
    {
        var words = part.Words.SubView(unit * (T.Loads * 32));
        var loaded = default(Unit);
        loaded.Load0 = TensorCore.LoadOnce(ref words[0]);
        if (T.Loads > 1) loaded.Load1 = TensorCore.LoadOnce(ref words[32]);
        if (T.Loads > 2) loaded.Load2 = TensorCore.LoadOnce(ref words[64]);
        if (T.Loads > 3) loaded.Load3 = TensorCore.LoadOnce(ref words[96]);
        if (TScales.Words == 0) return loaded;
        var segment = (4 * unit) >> part.Shift;
        loaded.Scales0 = Scales(part, segment);
        if (TScales.Zeros) loaded.Zeros0 = part.Zeros[8 * segment];
        if (TScales.Wide) return loaded;
        segment = ((4 * unit) + 2) >> part.Shift;
        loaded.Scales1 = Scales(part, segment);
        if (TScales.Zeros) loaded.Zeros1 = part.Zeros[8 * segment];
        return loaded;
    }

    /// <summary>The first (0) or second (1) half of a unit, 32 columns, in the form of the mma instruction.</summary>
    public static Half32 Open(Part part, Unit unit, int half)
    {
        var (low, high) = (part.NegativeZero, part.NegativeZero);
        if (TScales.Zeros)
        {
            var zeros = half == 0 ? unit.Zeros0 : unit.Zeros1;
            (low, high) = (NegativeZero(zeros & 0xFFFF), NegativeZero(zeros >> 16));
        }
        return new Half32
        {
            First = T.Registers(unit.Load0, unit.Load1, unit.Load2, unit.Load3, 2 * half, low, high),
            Second = T.Registers(unit.Load0, unit.Load1, unit.Load2, unit.Load3, (2 * half) + 1, low, high),
        };
    }

    /// <summary>
    /// Adds the product of 64 columns with eight columns of input, times the scales of the lane's two rows. With two planes <paramref name="c0"/> and
    /// <paramref name="c1"/> are the same columns of the second.
    /// </summary>
    public static Acc4 Add<TPlanes>(Acc4 sum, Half32 a0, Half32 a1, Unit unit, Words4 b0, Words4 b1, Words4 c0, Words4 c1)
        where TPlanes : struct, IPlanes
    {
        if (TScales.Words == 0) return Product<TPlanes>(Product<TPlanes>(sum, a0, b0, c0), a1, b1, c1);
        if (TScales.Wide) return Scaled(sum, Product<TPlanes>(Product<TPlanes>(default, a0, b0, c0), a1, b1, c1), Read(unit.Scales0));
        sum = Scaled(sum, Product<TPlanes>(default, a0, b0, c0), Read(unit.Scales0));
        return Scaled(sum, Product<TPlanes>(default, a1, b1, c1), Read(unit.Scales1));
    }

    private static Acc4 Product<TPlanes>(Acc4 sum, Half32 a, Words4 b, Words4 c) where TPlanes : struct, IPlanes
    {
        sum = Product(sum, a, b);
        return TPlanes.Count > 1 ? Product(sum, a, c) : sum;
    }

    private static Acc4 Product(Acc4 sum, Half32 a, Words4 b)
    {
        sum = TensorCore.Multiply(sum, a.First.A, a.First.B, a.First.C, a.First.D, b.A, b.B);
        return TensorCore.Multiply(sum, a.Second.A, a.Second.B, a.Second.C, a.Second.D, b.C, b.D);
    }

    private static Acc4 Scaled(Acc4 sum, Acc4 part, ScalePair scales)
    {
        sum.A += part.A * scales.Low;
        sum.B += part.B * scales.Low;
        sum.C += part.C * scales.High;
        sum.D += part.D * scales.High;
        return sum;
    }

    private static ScaleWords Scales(Part part, int segment)
    {
        var at = part.Scales.SubView(segment * (8 * TScales.Words));
        return new ScaleWords { First = at[0], Second = TScales.Words == 2 ? at[1] : 0 };
    }

    private static ScalePair Read(ScaleWords words) => TScales.Words == 2
        ? new ScalePair { Low = Interop.IntAsFloat(words.First), High = Interop.IntAsFloat(words.Second) }
        : new ScalePair { Low = Interop.IntAsFloat(words.First << 16), High = Interop.IntAsFloat(words.First & 0xFFFF0000) };

    /// <summary>−(128 + zero) as two bfloat16.</summary>
    private static uint NegativeZero(uint zero)
    {
        // A bfloat16 128 has seven bits for what is added to it.
        var bits = 0xC300u + zero;
        return bits | (bits << 16);
    }

    /// <summary>Where a lane's words, scales and zero points of a tile begin.</summary>
    internal struct Part
    {
        public ArrayView<Words4> Words;
        public ArrayView<uint> Scales;
        public ArrayView<uint> Zeros;
        public int Shift;
        public uint NegativeZero;
    }

    /// <summary>A lane's part of 64 columns as loaded: codes, and scales and zeros of the first 32 columns and of the others.</summary>
    internal struct Unit
    {
        public Words4 Load0;
        public Words4 Load1;
        public Words4 Load2;
        public Words4 Load3;
        public ScaleWords Scales0;
        public ScaleWords Scales1;
        public uint Zeros0;
        public uint Zeros1;
    }

    /// <summary>Scales as they lie in memory.</summary>
    internal struct ScaleWords
    {
        public uint First;
        public uint Second;
    }

    /// <summary>32 columns as registers of the mma instruction.</summary>
    internal struct Half32
    {
        public Words4 First;
        public Words4 Second;
    }
}
