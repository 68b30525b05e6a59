using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Quilt.Kernels.Ops.Vectors;

/// <summary>
/// AVX2 with AVX-VNNI: <see cref="Register256"/> but for products of integers, whose sums are int32 from the start and take one instruction.
/// </summary>
internal readonly unsafe struct RegisterVnni(Vector256<float> v) : IRegister<RegisterVnni>
{
    private readonly Vector256<float> v = v;

    private RegisterVnni(Register256 register)
        : this(register.Bits)
    {
    }

    private Register256 Plain => new(v);

    public static int Lanes => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RegisterVnni Broadcast(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RegisterVnni BroadcastBits(int value) => new(Vector256.Create(value).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RegisterVnni Load(float* from) => new(Vector256.Load(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(RegisterVnni value, float* to) => value.v.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RegisterVnni operator -(RegisterVnni left, RegisterVnni right) => new(left.v - right.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RegisterVnni operator *(RegisterVnni left, RegisterVnni right) => new(left.v * right.v);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RegisterVnni Fma(RegisterVnni a, RegisterVnni b, RegisterVnni c) => new(Register256.Fma(a.Plain, b.Plain, c.Plain));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RegisterVnni LoadBFloat16(ushort* from) => new(Register256.LoadBFloat16(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RegisterVnni LoadBytes(byte* from) => new(Register256.LoadBytes(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RegisterVnni LowNibbles(RegisterVnni bits) => new(Register256.LowNibbles(bits.Plain));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RegisterVnni HighNibbles(RegisterVnni bits) => new(Register256.HighNibbles(bits.Plain));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RegisterVnni ByteSum(int pair) =>
        new(Avx2.MultiplyAddAdjacent(Vector256.Create(pair).AsInt16(), Vector256<short>.One).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RegisterVnni ByteProducts(RegisterVnni codes, RegisterVnni fourBytes) =>
        AddByteProducts(new(Vector256<float>.Zero), codes, fourBytes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RegisterVnni AddByteSums(RegisterVnni left, RegisterVnni right) => new((left.v.AsInt32() + right.v.AsInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RegisterVnni AddByteProducts(RegisterVnni sum, RegisterVnni codes, RegisterVnni fourBytes) =>
        new(AvxVnni.MultiplyWideningAndAdd(sum.v.AsInt32(), codes.v.AsByte(), fourBytes.v.AsSByte()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RegisterVnni SumToFloat(RegisterVnni sum) => new(Avx.ConvertToVector256Single(sum.v.AsInt32()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RegisterVnni AddPairProducts(RegisterVnni sum, RegisterVnni pairs, RegisterVnni twoShorts) =>
        new(AvxVnni.MultiplyWideningAndAdd(sum.v.AsInt32(), pairs.v.AsInt16(), twoShorts.v.AsInt16()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RegisterVnni PairSumToFloat(RegisterVnni sum) => new(Avx.ConvertToVector256Single(sum.v.AsInt32()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void BytePairs(RegisterVnni bits, out RegisterVnni first, out RegisterVnni last)
    {
        Register256.BytePairs(bits.Plain, out var early, out var late);
        (first, last) = (new(early), new(late));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Float8Pairs(RegisterVnni bits, out RegisterVnni first, out RegisterVnni last)
    {
        Register256.Float8Pairs(bits.Plain, out var early, out var late);
        (first, last) = (new(early), new(late));
    }
}
