using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Quilt.Kernels.Devices;

/// <summary>
/// Instruction sets a CPU kernel is written for. All but <see cref="Reference"/> sum in the same order, so they differ only where the instructions
/// do.
/// </summary>
public enum Isa
{
    /// <summary>Plain C#, the definition of every operation.</summary>
    Reference,

    /// <summary>128-bit vectors: AdvSimd on arm64; runs on every machine with 128-bit vectors.</summary>
    Neon,

    /// <summary>256-bit vectors with FMA.</summary>
    Avx2,

    /// <summary>The same, with products of small integers in one instruction (AVX-VNNI: laptops since 2021, servers since 2023).</summary>
    AvxVnni,

    /// <summary>512-bit vectors (F, BW, DQ, VL).</summary>
    Avx512,
}

internal static class IsaSupport
{
    /// <summary>True if this machine (under this runtime's settings) executes <paramref name="isa"/>.</summary>
    public static bool IsSupported(this Isa isa) => isa switch
    {
        Isa.Reference => true,
        Isa.Neon => Vector128.IsHardwareAccelerated,
        Isa.Avx2 => Avx2.IsSupported && Fma.IsSupported,
        Isa.AvxVnni => Avx2.IsSupported && Fma.IsSupported && AvxVnni.IsSupported,
        Isa.Avx512 => Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported && Avx512F.VL.IsSupported,
        _ => false,
    };

    /// <summary>The widest instruction set this machine executes.</summary>
    public static Isa Best { get; } = new[] { Isa.Avx512, Isa.AvxVnni, Isa.Avx2, Isa.Neon }.FirstOrDefault(isa => isa.IsSupported(), Isa.Reference);
}
