using Quilt.Kernels.Catalog;
using Quilt.Kernels.Devices;

namespace Quilt.Perf;

/// <summary>
/// The PTX of every kernel for every architecture that is tested, a file each, as a driver would be given it: for an assembler, a disassembler or a
/// profiler. <c>dotnet run -c Release --project Perf -- --ptx FOLDER</c> writes them.
/// </summary>
internal static class KernelTexts
{
    public static void Write(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var architecture in GpuKernels.Architectures)
        {
            foreach (var kernel in GpuKernels.All.Where(kernel => GpuKernels.Suits(kernel, architecture)))
                File.WriteAllText(Path.Combine(folder, $"{PtxFix.Target(architecture)}-{FileName(kernel)}.ptx"),
                    GpuKernels.Ptx(kernel, architecture));
        }
    }

    private static string FileName(GpuKernel kernel) => kernel.Name.Replace('<', '(').Replace('>', ')');
}
