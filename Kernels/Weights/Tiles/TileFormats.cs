using System.Runtime.CompilerServices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// 4-bit integers, offset binary. A unit is 32 columns in four words; byte i of word j holds column 4j + i in its low nibble and column 16 + 4j + i
/// in its high nibble, so that four bytes meet four neighbouring int8 activations, too.
/// </summary>
internal readonly struct Int4Format : ITileFormat
{
    public static int Exponent => 0;

    public static int PerWord => 8;

    public static int Unit => 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int WordColumn(int word) => ((word >> 2) * 32) + ((word & 3) * 4);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int CodeColumn(int n) => ((n & 1) * 16) + (n >> 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T words, int n, T offset) where T : unmanaged, IVector16<T> => T.Field(words, 4 * n, 15, offset);

    public static float Value(uint word, int n, float offset) => 8388608f + ((word >> (4 * n)) & 15) - offset;
}

/// <summary>8-bit integers, offset binary, four neighbouring columns in a word.</summary>
internal readonly struct Int8Format : IPairFormat
{
    public static float PairUnit => 1;

    public static int Exponent => 0;

    public static int PerWord => 4;

    public static int Unit => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int WordColumn(int word) => word * 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int CodeColumn(int n) => n;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T words, int n, T offset) where T : unmanaged, IVector16<T> => T.Field(words, 8 * n, 255, offset);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Pairs<T>(T words, out T first, out T last) where T : unmanaged, IRegister<T> => T.BytePairs(words, out first, out last);

    public static float Value(uint word, int n, float offset) => 8388608f + ((word >> (8 * n)) & 255) - offset;
}

/// <summary>FP8 E4M3, four neighbouring columns in a word.</summary>
internal readonly struct Fp8Format : IPairFormat
{
    /// <summary>2^−6: the largest value becomes 28,672, and nothing is off by more than 3.5e-5 of it.</summary>
    public static float PairUnit => 0.015625f;

    public static int Exponent => 120;

    public static int PerWord => 4;

    public static int Unit => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int WordColumn(int word) => word * 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int CodeColumn(int n) => n;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T words, int n, T offset) where T : unmanaged, IVector16<T> => T.Float8(words, n);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Pairs<T>(T words, out T first, out T last) where T : unmanaged, IRegister<T> => T.Float8Pairs(words, out first, out last);

    public static float Value(uint word, int n, float offset)
    {
        var code = word >> (8 * n);
        return BitConverter.UInt32BitsToSingle(((code & 0x7F) << 20) | ((code & 0x80) << 24)) * 1.329227995784916e36f;
    }
}

/// <summary>bfloat16, two neighbouring columns in a word.</summary>
internal readonly struct BFloat16Format : ITileFormat
{
    public static int Exponent => 0;

    public static int PerWord => 2;

    public static int Unit => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int WordColumn(int word) => word * 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int CodeColumn(int n) => n;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T words, int n, T offset) where T : unmanaged, IVector16<T> =>
        n == 0 ? T.ShiftLeft(words, 16) : T.And(words, 0xFFFF0000);

    public static float Value(uint word, int n, float offset) => BitConverter.UInt32BitsToSingle(n == 0 ? word << 16 : word & 0xFFFF0000);
}

/// <summary>float16, two neighbouring columns in a word. Finite values only, which loading makes sure of.</summary>
internal readonly struct Float16Format : ITileFormat
{
    public static int Exponent => 112;

    public static int PerWord => 2;

    public static int Unit => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int WordColumn(int word) => word * 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int CodeColumn(int n) => n;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T words, int n, T offset) where T : unmanaged, IVector16<T> => T.Float16(words, n);

    public static float Value(uint word, int n, float offset) => (float)BitConverter.UInt16BitsToHalf((ushort)(word >> (16 * n)));
}

/// <summary>float32, one column in a word.</summary>
internal readonly struct Float32Format : ITileFormat
{
    public static int Exponent => 0;

    public static int PerWord => 1;

    public static int Unit => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int WordColumn(int word) => word;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int CodeColumn(int n) => n;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Value<T>(T words, int n, T offset) where T : unmanaged, IVector16<T> => words;

    public static float Value(uint word, int n, float offset) => BitConverter.UInt32BitsToSingle(word);
}
