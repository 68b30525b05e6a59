using System.Runtime.InteropServices;
using ILGPU.Runtime.Cuda;

namespace Quilt.Kernels.Devices;

/// <summary>
/// What is asked of the CUDA driver beside ILGPU, which swallows every error of a driver and then says that there is no device. Entry points are
/// looked up by name, so a machine without the driver, or with an older one, gives a reason and no exception.
/// </summary>
internal static unsafe class CudaDriver
{
    private const int ComputeMajor = 75, ComputeMinor = 76, Multiprocessors = 16;

    /// <summary>The first driver whose PTX our kernels are written in: 7.4, CUDA 11.4.</summary>
    private const int OldestDriver = 11040;

    /// <summary>All CUDA devices, or one entry that says why there are none.</summary>
    public static IReadOnlyList<DeviceInfo> List()
    {
        if (!GpuLibraries.CanLoad(GpuLibraries.Cuda, out var why)) return None($"{GpuLibraries.Cuda} cannot be loaded (no NVIDIA driver): {why}");
        var library = NativeLibrary.Load(GpuLibraries.Cuda);
        if (!Find(library, "cuInit", out var init) || !Find(library, "cuDeviceGetCount", out var getCount))
            return None($"{GpuLibraries.Cuda} is not a CUDA driver: it has no cuInit");
        var error = ((delegate* unmanaged<uint, int>)init)(0);
        if (error != 0) return None($"the driver does not start: {Explain(error)}");

        int version = 0, count = 0;
        if (Find(library, "cuDriverGetVersion", out var getVersion)) ((delegate* unmanaged<int*, int>)getVersion)(&version);
        error = ((delegate* unmanaged<int*, int>)getCount)(&count);
        if (error != 0) return None($"the driver does not count its devices: {Explain(error)}");
        if (count == 0) return None("the driver is there, but it sees no device (is CUDA_VISIBLE_DEVICES empty?)");
        var devices = new DeviceInfo[count];
        for (var i = 0; i < count; i++) devices[i] = Describe(library, i, version);
        return devices;
    }

    /// <summary>A function of the driver; 0 where it has none of that name.</summary>
    public static nint Function(string name) =>
        NativeLibrary.TryLoad(GpuLibraries.Cuda, out var library) && Find(library, name, out var address) ? address : 0;

    /// <summary>Bytes that are free on the current context's device; null where the driver does not say.</summary>
    public static long? FreeMemory()
    {
        nuint free = 0, all = 0;
        var function = (delegate* unmanaged<nuint*, nuint*, int>)Function("cuMemGetInfo_v2");
        return function is not null && function(&free, &all) == 0 ? (long)free : null;
    }

    /// <summary>An error that ILGPU has thrown, in words. It keeps the number to itself, as the name of an enum.</summary>
    public static string Explain(CudaException thrown) => Enum.TryParse<CudaError>(thrown.Error, out var error) ? Explain((int)error) : thrown.Error;

    /// <summary>An error of the driver in words.</summary>
    public static string Explain(int error) => error switch
    {
        1 => "invalid value (1)",
        2 => "out of memory (2)",
        100 => "no device (100)",
        101 => "invalid device (101)",
        218 => "invalid PTX (218)",
        222 => "PTX newer than the driver (222)",
        700 => "illegal address in a kernel (700)",
        801 => "not supported (801)",
        803 => "the driver and its kernel module have different versions (803)",
        804 => "the driver is too old for this GPU (804)",
        900 => "not permitted while a stream is captured (900)",
        901 => "the capture was invalidated (901)",
        999 => "unknown error (999)",
        _ => $"error {error}",
    };

    private static DeviceInfo Describe(nint library, int index, int version)
    {
        var name = $"gpu:{index}";
        int device = 0, major = 0, minor = 0, processors = 0;
        nuint memory = 0;
        var text = stackalloc byte[256];
        if (!Find(library, "cuDeviceGet", out var get) || !Find(library, "cuDeviceGetName", out var getName)
            || !Find(library, "cuDeviceTotalMem_v2", out var getMemory) || !Find(library, "cuDeviceGetAttribute", out var getAttribute))
        {
            return new(name, "CUDA", "", 0, "the driver lacks functions that every CUDA 11 driver has");
        }
        var error = ((delegate* unmanaged<int*, int, int>)get)(&device, index);
        if (error == 0) error = ((delegate* unmanaged<byte*, int, int, int>)getName)(text, 255, device);
        if (error == 0) error = ((delegate* unmanaged<nuint*, int, int>)getMemory)(&memory, device);
        if (error != 0) return new(name, "CUDA", "", 0, $"the driver does not describe it: {Explain(error)}");
        var attribute = (delegate* unmanaged<int*, int, int, int>)getAttribute;
        attribute(&major, ComputeMajor, device);
        attribute(&minor, ComputeMinor, device);
        attribute(&processors, Multiprocessors, device);
        var description =
            $"{Marshal.PtrToStringUTF8((nint)text)}, sm_{major}{minor}, {processors} multiprocessors, driver for CUDA " +
            $"{version / 1000}.{version % 1000 / 10}";
        if (CudaGraphs.Find(out var noGraphs) is null) description += $"; steps are not recorded, which is slower: {noGraphs}";
        var whyNot = major < 5 ? $"expected compute capability 5.0 or later, found {major}.{minor}"
            : version < OldestDriver ? $"expected a driver for CUDA 11.4 or later, found {version / 1000}.{version % 1000 / 10}"
            : null;
        return new(name, "CUDA", description, (long)memory, whyNot);
    }

    private static DeviceInfo[] None(string why) => [new("gpu:0", "CUDA", "", 0, why)];

    private static bool Find(nint library, string name, out nint address) => NativeLibrary.TryGetExport(library, name, out address);
}
