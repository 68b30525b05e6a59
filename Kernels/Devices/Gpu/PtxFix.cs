using System.Reflection;
using System.Text.RegularExpressions;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;

namespace Quilt.Kernels.Devices;

/// <summary>
/// Repairs the PTX of ILGPU 1.5.3 before a driver sees it. It marks branches as uniform that are not (its analysis takes loaded values for uniform),
/// which lets the driver's compiler drop the reconvergence that shuffles and mma instructions rely on; and it names sm_80 as the target whatever
/// the device is.
/// </summary>
internal static partial class PtxFix
{
    private static readonly FieldInfo Text = typeof(PTXCompiledKernel)
        .GetFields(BindingFlags.Instance | BindingFlags.NonPublic).Single(field => field.FieldType == typeof(string));

    /// <summary>Repairs a compiled kernel in place.</summary>
    public static void Apply(PTXCompiledKernel kernel, CudaArchitecture architecture) =>
        Text.SetValue(kernel, Apply(kernel.PTXAssembly, Target(architecture)));

    /// <summary>Repairs a text for a target such as <c>sm_90</c>.</summary>
    public static string Apply(string ptx, string target) =>
        TargetLine().Replace(ConditionalUniform().Replace(ptx, "$1bra").Replace("brx.idx.uni", "brx.idx", StringComparison.Ordinal),
            $".target {target}", 1);

    /// <summary>The target's name, e.g. <c>sm_90</c>.</summary>
    public static string Target(CudaArchitecture architecture) => $"sm_{architecture.Major}{architecture.Minor}";

    [GeneratedRegex(@"(@!?%p\d+\s+)bra\.uni")]
    private static partial Regex ConditionalUniform();

    [GeneratedRegex(@"^\.target sm_\d+a?", RegexOptions.Multiline)]
    private static partial Regex TargetLine();
}
