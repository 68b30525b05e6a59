using System.Reflection;
using ILGPU;
using ILGPU.Algorithms;
using ILGPU.IR;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace Quilt.Kernels.Devices;

/// <summary>Which devices this machine has, and which of them can be used.</summary>
public static class GpuDevices
{
    /// <summary>The stand-in for a GPU: its kernels run on the processor, slowly, to be tested.</summary>
    internal const string Emulated = "gpu-emulated";

    private const string Gpu = "gpu:";
    private const string OpenCl = "opencl:";

    /// <summary>Every device by name, those that cannot be used with the reason; where a kind has no device, one entry says why.</summary>
    public static IReadOnlyList<DeviceInfo> List()
    {
        GpuLibraries.Install();
        var found = new List<DeviceInfo>
        {
            new("cpu", "CPU", $"{IsaSupport.Best}, {Environment.ProcessorCount} threads", GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, null),
        };
        found.AddRange(CudaDriver.List());
        found.AddRange(ListOpenCl());
        found.Add(new(Emulated, "emulated", "GPU kernels on the processor, to test them", 0, null));
        return found;
    }

    /// <summary>Whether a name is one of a GPU's, there or not: <c>gpu:0</c>, <c>opencl:0</c>, <c>gpu-emulated</c>.</summary>
    internal static bool IsName(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name == Emulated || Index(name, Gpu) >= 0 || Index(name, OpenCl) >= 0;
    }

    /// <summary>What a driver's exception means, in words; null for exceptions of another kind.</summary>
    internal static string? Explain(Exception failure) => failure switch
    {
        CudaException cuda => $"the driver of the GPU failed: {CudaDriver.Explain(cuda)}",
        CLException opencl => $"the OpenCL driver failed: {opencl.Error}",
        CudaGraphException graph => graph.Message,
        _ => null,
    };

    /// <summary>Opens a device.</summary>
    /// <exception cref="NotSupportedException">There is no such device, or it cannot be used; the message says why.</exception>
    internal static GpuDevice Open(string name, int hostThreads = 0)
    {
        GpuLibraries.Install();
        if (name == Emulated) return Emulate(hostThreads);
        var info = List().FirstOrDefault(device => device.Name == name);
        if (info?.WhyNot is { } why) throw new NotSupportedException($"{name}: {why}");
        if (info is null)
            throw new NotSupportedException(
                $"{name}: there is no such device; found {string.Join(", ", List().Where(device => device.Usable).Select(device => device.Name))}.");
        return name.StartsWith(Gpu, StringComparison.Ordinal)
            ? OpenCuda(Index(name, Gpu), hostThreads)
            : OpenOpenCl(Index(name, OpenCl), hostThreads);
    }

    /// <summary>The stand-in device. With tensor cores its groups are warps of 32, each thread one of the system's: slower still.</summary>
    internal static GpuDevice Emulate(int hostThreads = 0, bool tensorCores = false)
    {
        var processor = tensorCores ? new CPUDevice(32, 4, 1) : new CPUDevice(2, 2, 2);
        var context = Context.Create(builder => Common(builder).CPU(processor));
        return Create(context, $"{Emulated}{(tensorCores ? "-tensor" : "")}",
            new GpuTraits(tensorCores ? 4 : 2, 4, tensorCores) { IsEmulated = true, Fp8 = tensorCores }, hostThreads);
    }

    private static GpuDevice OpenCuda(int index, int hostThreads)
    {
        var context = Context.Create(builder => Common(builder).Cuda(device =>
        {
            // Otherwise every kernel is compiled for sm_80 (see PtxFix).
            Set(device.Capabilities, nameof(CudaCapabilityContext.TargetArchitecture), device.Architecture!.Value);
            return true;
        }));
        return Create(context, $"{Gpu}{index}", null, hostThreads, index);
    }

    private static GpuDevice OpenOpenCl(int index, int hostThreads)
    {
        var context = Context.Create(builder => Common(builder).OpenCL(Admit));
        return Create(context, $"{OpenCl}{index}", null, hostThreads, index);
    }

    private static GpuDevice Create(Context context, string name, GpuTraits? traits, int hostThreads, int index = 0)
    {
        try
        {
            var accelerator = context.Devices[index].CreateAccelerator(context);
            return new GpuDevice(context, accelerator, name, traits ?? Traits(accelerator), hostThreads);
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    private static GpuTraits Traits(Accelerator accelerator) => accelerator is CudaAccelerator cuda
        ? new GpuTraits(128, 8 * accelerator.NumMultiprocessors, cuda.Architecture.Major >= 8)
        {
            IsCuda = true, Fp8 = TensorCore.HasFp8(cuda.Architecture) && cuda.InstructionSet >= TensorCore.Fp8InstructionSet,
        }
        : new GpuTraits(Math.Min(64, accelerator.MaxNumThreadsPerGroup), 8 * accelerator.NumMultiprocessors, false);

    /// <summary>What every context of ours is made with.</summary>
    internal static Context.Builder Common(Context.Builder builder)
    {
        TensorCore.Register(builder.GetIntrinsicManager());
        return builder.EnableAlgorithms().Optimize(OptimizationLevel.O2).Inlining(InliningMode.Aggressive);
    }

    // ILGPU refuses devices without generic address spaces (PoCL among them). Our kernels use none: each pointer says where it points.
    private static bool Admit(CLDevice device)
    {
        if (device.Capabilities.GenericAddressSpace) return true;
        Set(device.Capabilities, "GenericAddressSpace", true);
        Set(device, "DeviceVersion", CLDeviceVersion.CL20);
        return true;
    }

    private static void Set(object target, string property, object value) =>
        target.GetType().GetProperty(property,
            BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance)!.GetSetMethod(true)!.Invoke(target, [value]);

    private static IEnumerable<DeviceInfo> ListOpenCl()
    {
        if (!GpuLibraries.CanLoad(GpuLibraries.OpenCl, out var why))
            return [new($"{OpenCl}0", "OpenCL", "", 0, $"{GpuLibraries.OpenCl} cannot be loaded: {why}")];
        try
        {
            using var context = Context.Create(builder => builder.OpenCL(Admit));
            var devices = context.Devices.OfType<CLDevice>()
                .Select((device, i) => new DeviceInfo($"{OpenCl}{i}", "OpenCL", $"{device.Name}, {device.VendorName}", device.MemorySize, null))
                .ToArray();
            return devices.Length > 0
                ? devices
                : [new($"{OpenCl}0", "OpenCL", "", 0, "the OpenCL loader is there, but no vendor's driver offers a device")];
        }
#pragma warning disable CA1031 // Whatever a foreign driver does wrong makes its devices unusable, and is told; it must not end the program.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            return [new($"{OpenCl}0", "OpenCL", "", 0, $"the OpenCL driver failed: {thrown.GetBaseException().Message.Split('\n')[0]}")];
        }
    }

    private static int Index(string name, string prefix) =>
        name.StartsWith(prefix, StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(prefix.Length), System.Globalization.NumberStyles.None, null, out var index) ? index : -1;
}
