using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Quilt.Kernels.Limits;

/// <summary>sdot, 128 bits: 16 multiply-adds of bytes.</summary>
internal readonly struct Int8DotStepsNeon : IChainStep<Vector128<int>>
{
    public static int Operations => 32;

    public static Vector128<int> Operand => Vector128.Create(0x03050709);

    public static Vector128<int> Next(Vector128<int> sum, Vector128<int> operand) => Dp.DotProduct(sum, operand.AsSByte(), operand.AsSByte());
}

/// <summary>smull and sadalp, 128 bits: 8 multiply-adds of bytes, what arm64 without dot products has.</summary>
internal readonly struct Int8StepsNeon : IChainStep<Vector128<int>>
{
    public static int Operations => 16;

    public static Vector128<int> Operand => Vector128.Create(0x03050709);

    public static Vector128<int> Next(Vector128<int> sum, Vector128<int> operand) => AdvSimd.AddPairwiseWideningAndAdd(sum,
        AdvSimd.MultiplyWideningLower(sum.AsSByte().GetLower(), operand.AsSByte().GetLower()));
}

/// <summary>smlal, 128 bits: 4 multiply-adds of 16-bit integers.</summary>
internal readonly struct Int16StepsNeon : IChainStep<Vector128<int>>
{
    public static int Operations => 8;

    public static Vector128<int> Operand => Vector128.Create(0x00030007);

    public static Vector128<int> Next(Vector128<int> sum, Vector128<int> operand) =>
        AdvSimd.MultiplyWideningLowerAndAdd(sum, operand.AsInt16().GetLower(), operand.AsInt16().GetLower());
}

/// <summary>pmaddubsw and paddw, 128 bits: 16 multiply-adds of bytes, where 128-bit vectors run on an x86 processor.</summary>
internal readonly struct Int8Steps128 : IChainStep<Vector128<short>>
{
    public static int Operations => 32;

    public static Vector128<short> Operand => Vector128.Create((short)0x0307);

    public static Vector128<short> Next(Vector128<short> sum, Vector128<short> operand) =>
        sum + Ssse3.MultiplyAddAdjacent(operand.AsByte(), sum.AsSByte());
}

/// <summary>pmaddwd and paddd, 128 bits: 8 multiply-adds of 16-bit integers.</summary>
internal readonly struct Int16Steps128 : IChainStep<Vector128<int>>
{
    public static int Operations => 16;

    public static Vector128<int> Operand => Vector128.Create(0x00030007);

    public static Vector128<int> Next(Vector128<int> sum, Vector128<int> operand) =>
        sum + Sse2.MultiplyAddAdjacent(operand.AsInt16(), sum.AsInt16());
}

/// <summary>128 bits: 4 multiply-adds of float32, fused where the processor has that. The chain goes to 1.</summary>
internal readonly struct FloatSteps128 : IChainStep<Vector128<float>>
{
    public static int Operations => 8;

    public static Vector128<float> Operand => Vector128.Create(0.5f);

    public static Vector128<float> Next(Vector128<float> sum, Vector128<float> operand) => Vector128.FusedMultiplyAdd(sum, operand, operand);
}
