using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Quilt.Kernels.Limits;

/// <summary>vpmaddubsw and vpaddw, 512 bits: 64 multiply-adds of bytes.</summary>
internal readonly struct Int8Steps512 : IChainStep<Vector512<short>>
{
    public static int Operations => 128;

    public static Vector512<short> Operand => Vector512.Create((short)0x0307);

    public static Vector512<short> Next(Vector512<short> sum, Vector512<short> operand) =>
        sum + Avx512BW.MultiplyAddAdjacent(operand.AsByte(), sum.AsSByte());
}

/// <summary>vpmaddwd and vpaddd, 512 bits: 32 multiply-adds of 16-bit integers.</summary>
internal readonly struct Int16Steps512 : IChainStep<Vector512<int>>
{
    public static int Operations => 64;

    public static Vector512<int> Operand => Vector512.Create(0x00030007);

    public static Vector512<int> Next(Vector512<int> sum, Vector512<int> operand) =>
        sum + Avx512BW.MultiplyAddAdjacent(operand.AsInt16(), sum.AsInt16());
}

/// <summary>vfmadd, 512 bits: 16 multiply-adds of float32. The chain goes to 1.</summary>
internal readonly struct FloatSteps512 : IChainStep<Vector512<float>>
{
    public static int Operations => 32;

    public static Vector512<float> Operand => Vector512.Create(0.5f);

    public static Vector512<float> Next(Vector512<float> sum, Vector512<float> operand) => Vector512.FusedMultiplyAdd(sum, operand, operand);
}
