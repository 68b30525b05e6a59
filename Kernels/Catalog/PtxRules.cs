using System.Text.RegularExpressions;

namespace Quilt.Kernels.Catalog;

/// <summary>Rules that the PTX of kernels is held to without an assembler; what one makes of it, <see cref="PtxAssembler"/> shows.</summary>
internal static partial class PtxRules
{
    /// <summary>What must not be in a kernel that a driver is given; hot kernels are held to more.</summary>
    public static IEnumerable<string> Faults(string ptx, string target, bool hot)
    {
        if (!ptx.Contains($".target {target}\n", StringComparison.Ordinal)) yield return $"its target is not {target}";
        if (ConditionalUniform().IsMatch(ptx)) yield return "a conditional branch is marked as uniform";
        if (ptx.Contains("brx.idx", StringComparison.Ordinal)) yield return "it has a jump table";
        if (GenericAccess().IsMatch(ptx)) yield return "memory is accessed without its space";
        if (ptx.Contains(".extern .func", StringComparison.Ordinal)) yield return "it calls a function that is not there";
        if (!hot) yield break;
        if (ptx.Contains("ld.local", StringComparison.Ordinal) || ptx.Contains("st.local", StringComparison.Ordinal)
            || ptx.Contains(".local ", StringComparison.Ordinal)) yield return "it uses local memory";
        if (ptx.Contains(".f64", StringComparison.Ordinal)) yield return "it computes in double precision";
        if (!WideLoad().IsMatch(ptx)) yield return "its weight or cache is not loaded sixteen bytes at a time";
    }

    // Any predicate, however it is named: this finds what a repair has missed.
    [GeneratedRegex(@"@[^;]*\bbra\.uni")]
    private static partial Regex ConditionalUniform();

    [GeneratedRegex(@"\bld\.global\.nc\.(L1::no_allocate\.)?v4\.b32\b")]
    private static partial Regex WideLoad();

    [GeneratedRegex(@"^\s+(ld|st)\.(b|f|s|u|v)\d", RegexOptions.Multiline)]
    private static partial Regex GenericAccess();
}
