using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Quilt.Kernels.Limits;

/// <summary>vpmaddubsw and vpaddw, 256 bits: 32 multiply-adds of bytes.</summary>
internal readonly struct Int8Steps256 : IChainStep<Vector256<short>>
{
    public static int Operations => 64;

    public static Vector256<short> Operand => Vector256.Create((short)0x0307);

    public static Vector256<short> Next(Vector256<short> sum, Vector256<short> operand) =>
        sum + Avx2.MultiplyAddAdjacent(operand.AsByte(), sum.AsSByte());
}

/// <summary>vpdpbusd, 256 bits: 32 multiply-adds of bytes. The widest form that .NET has.</summary>
internal readonly struct Int8DotSteps256 : IChainStep<Vector256<int>>
{
    public static int Operations => 64;

    public static Vector256<int> Operand => Vector256.Create(0x03050709);

    public static Vector256<int> Next(Vector256<int> sum, Vector256<int> operand) =>
        AvxVnni.MultiplyWideningAndAdd(sum, operand.AsByte(), operand.AsSByte());
}

/// <summary>vpmaddwd and vpaddd, 256 bits: 16 multiply-adds of 16-bit integers.</summary>
internal readonly struct Int16Steps256 : IChainStep<Vector256<int>>
{
    public static int Operations => 32;

    public static Vector256<int> Operand => Vector256.Create(0x00030007);

    public static Vector256<int> Next(Vector256<int> sum, Vector256<int> operand) =>
        sum + Avx2.MultiplyAddAdjacent(operand.AsInt16(), sum.AsInt16());
}

/// <summary>vpdpwssd, 256 bits: 16 multiply-adds of 16-bit integers.</summary>
internal readonly struct Int16DotSteps256 : IChainStep<Vector256<int>>
{
    public static int Operations => 32;

    public static Vector256<int> Operand => Vector256.Create(0x00030007);

    public static Vector256<int> Next(Vector256<int> sum, Vector256<int> operand) =>
        AvxVnni.MultiplyWideningAndAdd(sum, operand.AsInt16(), operand.AsInt16());
}

/// <summary>vfmadd, 256 bits: 8 multiply-adds of float32. The chain goes to 1.</summary>
internal readonly struct FloatSteps256 : IChainStep<Vector256<float>>
{
    public static int Operations => 16;

    public static Vector256<float> Operand => Vector256.Create(0.5f);

    public static Vector256<float> Next(Vector256<float> sum, Vector256<float> operand) => Vector256.FusedMultiplyAdd(sum, operand, operand);
}
