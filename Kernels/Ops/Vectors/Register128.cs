using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Quilt.Kernels.Ops.Vectors;

/// <summary>AdvSimd, and every other machine with 128-bit vectors.</summary>
internal readonly unsafe struct Register128(Vector128<float> v) : IRegister<Register128>
{
    private readonly Vector128<float> v = v;

    public static int Lanes => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Broadcast(float value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 BroadcastBits(int value) => new(Vector128.Create(value).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Load(float* from) => new(Vector128.Load(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Register128 value, float* to) => value.v.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator -(Register128 left, Register128 right) => new(left.v - right.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 operator *(Register128 left, Register128 right) => new(left.v * right.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 Fma(Register128 a, Register128 b, Register128 c) => new(Vector128.FusedMultiplyAdd(a.v, b.v, c.v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 LoadBFloat16(ushort* from) => new((Vector128.WidenLower(Vector64.Load(from).ToVector128Unsafe()) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 LoadBytes(byte* from)
    {
        var shorts = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)from).AsByte());
        return new(Vector128.ConvertToSingle(Vector128.WidenLower(shorts).AsInt32()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 LowNibbles(Register128 bits) => new((bits.v.AsByte() & Vector128.Create((byte)15)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 HighNibbles(Register128 bits) =>
        new(((bits.v.AsUInt16() >>> 4).AsByte() & Vector128.Create((byte)15)).AsSingle());

    // Sums are kept in int32 from the start: AdvSimd's dot product adds four products at a time.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 ByteSum(int pair) => new(Vector128.Create((short)pair + (pair >> 16)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 ByteProducts(Register128 codes, Register128 fourBytes) => AddByteProducts(new(Vector128<float>.Zero), codes, fourBytes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 AddByteSums(Register128 left, Register128 right) => new((left.v.AsInt32() + right.v.AsInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 AddByteProducts(Register128 sum, Register128 codes, Register128 fourBytes)
    {
        // Codes below 16 are the same number signed and unsigned.
        var bytes = fourBytes.v.AsSByte();
        if (Dp.IsSupported) return new(Dp.DotProduct(sum.v.AsInt32(), codes.v.AsSByte(), bytes).AsSingle());
        if (Ssse3.IsSupported)
        {
            var products = Ssse3.MultiplyAddAdjacent(codes.v.AsByte(), bytes);
            return new((sum.v.AsInt32() + Sse2.MultiplyAddAdjacent(products, Vector128<short>.One)).AsSingle());
        }
        return new((sum.v.AsInt32() + QuadSums(codes.v.AsSByte(), bytes)).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 SumToFloat(Register128 sum) => new(Vector128.ConvertToSingle(sum.v.AsInt32()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Float8Pairs(Register128 bits, out Register128 first, out Register128 last)
    {
        var words = bits.v.AsInt32();
        first = new(((Times64(words << 24) & Vector128.Create(0xFFFF)) | (Times64(words << 16) << 16)).AsSingle());
        last = new(((Times64(words << 8) & Vector128.Create(0xFFFF)) | (Times64(words) << 16)).AsSingle());
    }

    // The code at the top of the lane, moved down with its sign; the copies of the sign between are masked out, and 2^126 makes of that 64 times the
    // value. What is behind the point goes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Times64(Vector128<int> code) =>
        Vector128.ConvertToInt32(((code >> 4).AsUInt32() & Vector128.Create(0x87F00000)).AsSingle() * Vector128.Create(8.507059e37f));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void BytePairs(Register128 bits, out Register128 first, out Register128 last)
    {
        var words = bits.v.AsUInt32();
        first = new((Spread(words).AsInt16() - Vector128.Create((short)128)).AsSingle());
        last = new((Spread(words >>> 16).AsInt16() - Vector128.Create((short)128)).AsSingle());
    }

    /// <summary>The lower two bytes of each word, in words of 16 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Spread(Vector128<uint> words) => (words & Vector128.Create(0xFFu)) | ((words & Vector128.Create(0xFF00u)) << 8);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 AddPairProducts(Register128 sum, Register128 pairs, Register128 twoShorts) =>
        new((sum.v.AsInt32() + PairSums(pairs.v.AsInt16(), twoShorts.v.AsInt16())).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Register128 PairSumToFloat(Register128 sum) => new(Vector128.ConvertToSingle(sum.v.AsInt32()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> PairSums(Vector128<short> left, Vector128<short> right)
    {
        if (Sse2.IsSupported) return Sse2.MultiplyAddAdjacent(left, right);
        if (AdvSimd.Arm64.IsSupported)
        {
            return AdvSimd.Arm64.AddPairwise(AdvSimd.MultiplyWideningLower(left.GetLower(), right.GetLower()),
                AdvSimd.MultiplyWideningUpper(left, right));
        }
        var (a, b) = (left.AsInt32(), right.AsInt32());
        return (((a << 16) >> 16) * ((b << 16) >> 16)) + ((a >> 16) * (b >> 16));
    }

    private static Vector128<int> QuadSums(Vector128<sbyte> left, Vector128<sbyte> right)
    {
        var low = Vector128.WidenLower(left) * Vector128.WidenLower(right);
        var high = Vector128.WidenUpper(left) * Vector128.WidenUpper(right);
        Span<int> sums = stackalloc int[4];
        for (var i = 0; i < 8; i++)
        {
            sums[i / 4] += low[i];
            sums[2 + (i / 4)] += high[i];
        }
        return Vector128.Create(sums);
    }
}
