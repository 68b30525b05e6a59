using System.Runtime.InteropServices;
using ILGPU;

namespace Quilt.Kernels.Devices;

/// <summary>
/// Finds the drivers' libraries. ILGPU asks for libcuda.so and libOpenCL.so, but a machine that only runs programs often has libcuda.so.1 and
/// libOpenCL.so.1 alone, and ILGPU then says that there is no device.
/// </summary>
internal static class GpuLibraries
{
    private static readonly Lock Gate = new();
    private static bool installed;

    /// <summary>The CUDA driver's file; <c>QUILT_LIBCUDA</c> names another one.</summary>
    public static string Cuda =>
        Environment.GetEnvironmentVariable("QUILT_LIBCUDA") is { Length: > 0 } own ? own
            : OperatingSystem.IsWindows() ? "nvcuda.dll"
            : "libcuda.so.1";

    /// <summary>The OpenCL loader's file.</summary>
    public static string OpenCl => OperatingSystem.IsWindows() ? "OpenCL.dll" : "libOpenCL.so.1";

    /// <summary>Makes ILGPU find them; before the first of its contexts.</summary>
    public static void Install()
    {
        lock (Gate)
        {
            if (installed) return;
            installed = true;
            NativeLibrary.SetDllImportResolver(typeof(Context).Assembly, static (name, _, _) => name switch
            {
                "cuda" or "nvcuda" => Load(Cuda),
                "OpenCL" => Load(OpenCl),
                _ => 0,
            });
        }
    }

    /// <summary>Whether a library can be loaded; if not, what the system's loader says.</summary>
    public static bool CanLoad(string library, out string why)
    {
        try
        {
            NativeLibrary.Load(library);
            why = "";
            return true;
        }
        catch (Exception refused) when (refused is DllNotFoundException or BadImageFormatException)
        {
            // Before the advice on how to look further that the runtime adds.
            why = refused.Message.Split('\n')[0].Split(" In order to help")[0].Trim();
            return false;
        }
    }

    private static nint Load(string library) => NativeLibrary.TryLoad(library, out var handle) ? handle : 0;
}
