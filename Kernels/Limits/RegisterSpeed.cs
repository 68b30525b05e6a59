using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Limits;

/// <summary>
/// How many operations a second all threads together make on registers alone, with the instructions of the set in use: the limit of every product,
/// whoever writes its kernel. A multiplication and an addition are two operations.
/// </summary>
internal sealed class RegisterSpeed(CpuDevice device) : IDisposable
{
    private const int Passes = 16;
    private const int ItemsAThread = 16;
    private const int Rounds = 8192;

    private readonly NativeBuffer results = new(RegisterChains<Vector512<float>, FloatSteps512>.ResultBytes);

    /// <summary>
    /// Bytes, in the way the kernels multiply them; on AVX-512 and AVX2 vpmaddubsw, on arm64 the dot product where there is one.
    /// </summary>
    public Speed Int8() => device.Isa switch
    {
        Isa.Avx512 => Run<Vector512<short>, Int8Steps512>(),
        Isa.AvxVnni => Run<Vector256<int>, Int8DotSteps256>(),
        Isa.Avx2 => Run<Vector256<short>, Int8Steps256>(),
        Isa.Neon when Dp.IsSupported => Run<Vector128<int>, Int8DotStepsNeon>(),
        Isa.Neon when AdvSimd.IsSupported => Run<Vector128<int>, Int8StepsNeon>(),
        Isa.Neon when Ssse3.IsSupported => Run<Vector128<short>, Int8Steps128>(),
        _ => Speed.None,
    };

    /// <summary>Bytes by 256-bit vpdpbusd (AVX-VNNI), where AVX-512 or AVX2 is in use and the processor has it.</summary>
    public Speed Int8Dot() => device.Isa is Isa.Avx512 or Isa.Avx2 && AvxVnni.IsSupported ? Run<Vector256<int>, Int8DotSteps256>() : Speed.None;

    /// <summary>16-bit integers into 32-bit sums.</summary>
    public Speed Int16() => device.Isa switch
    {
        Isa.Avx512 => Run<Vector512<int>, Int16Steps512>(),
        Isa.AvxVnni => Run<Vector256<int>, Int16DotSteps256>(),
        Isa.Avx2 => Run<Vector256<int>, Int16Steps256>(),
        Isa.Neon when AdvSimd.IsSupported => Run<Vector128<int>, Int16StepsNeon>(),
        Isa.Neon when Sse2.IsSupported => Run<Vector128<int>, Int16Steps128>(),
        _ => Speed.None,
    };

    /// <summary>float32, multiplied and added in one.</summary>
    public Speed Float32() => device.Isa switch
    {
        Isa.Avx512 => Run<Vector512<float>, FloatSteps512>(),
        Isa.Avx2 or Isa.AvxVnni => Run<Vector256<float>, FloatSteps256>(),
        Isa.Neon => Run<Vector128<float>, FloatSteps128>(),
        _ => Speed.None,
    };

    public void Dispose() => results.Dispose();

    private Speed Run<TVector, TStep>() where TVector : unmanaged where TStep : IChainStep<TVector>
    {
        var items = ItemsAThread * device.Pool.Threads;
        var operations = (double)items * Rounds * RegisterChains<TVector, TStep>.Chains * TStep.Operations;
        return Speed.Of(Passes, operations, _ =>
        {
            var job = new RegisterChains<TVector, TStep>(results, Rounds);
            device.Pool.Run(items, ref job);
        });
    }
}
