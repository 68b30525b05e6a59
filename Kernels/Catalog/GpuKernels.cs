using System.Reflection;
using ILGPU;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;

namespace Quilt.Kernels.Catalog;

/// <summary>Every kernel of every operation and weight, and its PTX without a GPU.</summary>
internal static class GpuKernels
{
    /// <summary>
    /// All kernels, by name. They stand in static fields of the classes that launch them; those of a weight once for each format
    /// it has.
    /// </summary>
    public static IReadOnlyList<GpuKernel> All { get; } = [.. Find().OrderBy(kernel => kernel.Name, StringComparer.Ordinal)];

    /// <summary>Architectures that the kernels are written for, and whose PTX is tested.</summary>
    public static IReadOnlyList<CudaArchitecture> Architectures { get; } =
        [CudaArchitecture.SM_80, CudaArchitecture.SM_86, CudaArchitecture.SM_89, CudaArchitecture.SM_90, new(12, 0)];

    /// <summary>Whether an architecture has what a kernel needs.</summary>
    public static bool Suits(GpuKernel kernel, CudaArchitecture architecture) =>
        !kernel.Needs.HasFlag(KernelNeeds.Fp8) || TensorCore.HasFp8(architecture);

    /// <summary>
    /// The PTX of a kernel for an architecture, repaired as at loading (<see cref="PtxFix"/>), in the oldest version that knows the architecture and
    /// our instructions.
    /// </summary>
    public static string Ptx(GpuKernel kernel, CudaArchitecture architecture)
    {
        lock (Texts)
        {
            return Texts.TryGetValue((kernel.Id, architecture), out var ptx) ? ptx : Texts[(kernel.Id, architecture)] = Compile(kernel, architecture);
        }
    }

    private static string Compile(GpuKernel kernel, CudaArchitecture architecture)
    {
        if (!Backends.TryGetValue(architecture, out var backend))
        {
            var context = Context.Create(builder => GpuDevices.Common(builder));
            Backends[architecture] = backend = new PTXBackend(context, new CudaCapabilityContext(architecture), architecture, Version(architecture),
                null);
        }
        try
        {
            var compiled = (PTXCompiledKernel)backend.Compile(kernel.EntryPoint, kernel.Specialization);
            return PtxFix.Apply(compiled.PTXAssembly, PtxFix.Target(architecture));
        }
        catch
        {
            // One failure spoils a context for all that come after.
            Backends.Remove(architecture);
            throw;
        }
    }

    // For tests and tools, which ask for the same texts again and again until the process ends.
    private static readonly Dictionary<(int Kernel, CudaArchitecture Architecture), string> Texts = [];

    private static readonly Dictionary<CudaArchitecture, PTXBackend> Backends = [];

    private static CudaInstructionSet Version(CudaArchitecture architecture) => architecture.Major switch
    {
        >= 12 => CudaInstructionSet.ISA_87,
        >= 10 => CudaInstructionSet.ISA_86,
        9 => TensorCore.Fp8InstructionSet,
        _ => architecture.Minor == 9 ? TensorCore.Fp8InstructionSet : CudaInstructionSet.ISA_74,
    };

    private static IEnumerable<GpuKernel> Find() =>
        typeof(GpuKernel).Assembly.GetTypes().Where(type => Fields(type).Any()).SelectMany(Closed).SelectMany(In);

    /// <summary>A class as it is, or for each elementwise operation, or each format (and kind of scales), that it is launched for.</summary>
    private static IEnumerable<Type> Closed(Type type) => !type.IsGenericTypeDefinition ? [type]
        : type == typeof(Elementwise<>) ? ElementwiseOps.Select(operation => type.MakeGenericType(operation))
        : type.GetGenericArguments().Length == 1 ? Formats.Select(format => type.MakeGenericType(format))
        : TensorFormats.Select(pair => type.MakeGenericType(pair.Format, pair.Scales));

    private static IEnumerable<Type> ElementwiseOps =>
        typeof(IElementwise).Assembly.GetTypes().Where(type => type.IsValueType && type.IsAssignableTo(typeof(IElementwise)));

    private static Type[] Formats => [typeof(BFloat16Gpu), typeof(Float16Gpu), typeof(Float32Gpu), typeof(Fp8Gpu), typeof(Int4Gpu), typeof(Int8Gpu)];

    private static (Type Format, Type Scales)[] TensorFormats =>
    [
        (typeof(BFloat16Gpu), typeof(NoScales)),
        (typeof(Fp8Gpu), typeof(WideFloat32Scales)),
        (typeof(Int4Gpu), typeof(BFloat16Scales)),
        (typeof(Int4Gpu), typeof(Float32Scales)),
        (typeof(Int4Gpu), typeof(BFloat16ZeroScales)),
        (typeof(Int4Gpu), typeof(Float32ZeroScales)),
    ];

    private static IEnumerable<GpuKernel> In(Type type) => Fields(type).Select(field => (GpuKernel)field.GetValue(null)!);

    private static IEnumerable<FieldInfo> Fields(Type type) =>
        type.GetFields(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
        .Where(field => typeof(GpuKernel).IsAssignableFrom(field.FieldType));
}
