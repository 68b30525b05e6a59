using System.Reflection;
using ILGPU.Backends.EntryPoints;
using ILGPU.Runtime;

namespace Quilt.Kernels.Devices;

/// <summary>What a kernel needs beyond a device that computes.</summary>
[Flags]
internal enum KernelNeeds
{
    /// <summary>Runs everywhere.</summary>
    None = 0,

    /// <summary>Matrix instructions on 16-bit floats and asynchronous copies: sm_80 and later, in warps of 32.</summary>
    TensorCores = 1,

    /// <summary>Reads weights or the cache and so decides the speed of decoding or of prompts; held to the strictest rules on its PTX.</summary>
    Hot = 2,

    /// <summary>Matrix instructions on FP8: sm_89 or sm_120, and a driver of CUDA 12.4 or later.</summary>
    Fp8 = 4,
}

/// <summary>
/// One kernel of an operation: compiled for a device when that device first needs it. Held in static fields; equal for all devices.
/// </summary>
/// <typeparam name="TLaunch">Action of the stream, the launch's size and the kernel's parameters.</typeparam>
internal sealed class GpuKernel<TLaunch> : GpuKernel where TLaunch : Delegate
{
    /// <param name="kernel">A static method whose parameters are those of <typeparamref name="TLaunch"/> after the first two.</param>
    /// <param name="needs">What it needs.</param>
    /// <param name="maxThreads">Most threads of a group it is ever launched with; 0: any.</param>
    /// <param name="minGroups">Groups that should fit a multiprocessor together; 0: any.</param>
    public GpuKernel(Delegate kernel, KernelNeeds needs = KernelNeeds.None, int maxThreads = 0, int minGroups = 0)
        : base(kernel.Method, needs, maxThreads, minGroups)
    {
    }

    /// <summary>The launcher on a device.</summary>
    public TLaunch On(GpuDevice device) => (TLaunch)(device.Launcher(Id) ?? device.Load<TLaunch>(this));
}

/// <summary>What all kernels have, whatever their parameters.</summary>
internal abstract class GpuKernel(MethodInfo method, KernelNeeds needs, int maxThreads, int minGroups)
{
    private static int count;

    /// <summary>Number of this kernel in the process.</summary>
    public int Id { get; } = Interlocked.Increment(ref count) - 1;

    /// <summary>The code.</summary>
    public MethodInfo Method { get; } = method;

    /// <summary>What it needs.</summary>
    public KernelNeeds Needs { get; } = needs;

    /// <summary>For people and file names: the method, its type arguments and its class.</summary>
    public string Name { get; } = $"{method.DeclaringType!.Name.Split('`')[0]}.{method.Name}"
        + (method.IsGenericMethod || method.DeclaringType.IsGenericType
            ? $"<{string.Join(",", method.DeclaringType.GetGenericArguments().Concat(method.GetGenericArguments()).Select(type => type.Name))}>"
            : "");

    /// <summary>How ILGPU is to compile it.</summary>
    public EntryPointDescription EntryPoint => EntryPointDescription.FromExplicitlyGroupedKernel(Method);

    /// <summary>Bounds that the register allocation of a driver goes by.</summary>
    public KernelSpecialization Specialization =>
        maxThreads == 0 ? KernelSpecialization.Empty : new KernelSpecialization(maxThreads, minGroups == 0 ? null : minGroups);
}
