using System.Globalization;
using System.Text.RegularExpressions;

namespace Quilt.Kernels.Catalog;

/// <summary>
/// What a kernel's PTX tells without an assembler. Registers are those that PTX names, an upper bound: an assembler reuses them. Instructions are those that should be left
/// after one: moves are gone, and-or and mul-add are one instruction each.
/// </summary>
/// <param name="Registers32">32-bit registers named, integers and floats.</param>
/// <param name="Registers64">64-bit registers named.</param>
/// <param name="SharedBytes">Shared memory that is declared.</param>
/// <param name="Loop">Instructions of the loop over the weight, if there is one: the smallest that streams (<c>ld.global.nc</c>).</param>
/// <param name="Loads">16-byte loads of the weight in that loop.</param>
/// <param name="MatrixInstructions">Matrix instructions in that loop.</param>
internal sealed partial record PtxFacts(int Registers32, int Registers64, int SharedBytes, int Loop, int Loads, int MatrixInstructions)
{
    /// <summary>Instructions a lane for 16 bytes of weight.</summary>
    public double PerLoad => (double)Loop / Loads;

    /// <summary>Reads a kernel's text.</summary>
    public static PtxFacts Of(string ptx)
    {
        int Declared(Regex pattern) => pattern.Matches(ptx).Sum(match => int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture));
        var body = Loops(ptx).Where(loop => loop.Any(IsWeightLoad)).MinBy(loop => loop.Count) ?? [];
        return new(Declared(Names32()), Declared(Names64()), Declared(SharedArrays()), Instructions(body), body.Count(IsWeightLoad), body.Count(line => line.StartsWith("mma.", StringComparison.Ordinal)));
    }

    /// <summary>What must not be in a kernel that a driver is given; hot kernels are held to more.</summary>
    public static IEnumerable<string> Faults(string ptx, string target, bool hot)
    {
        if (!ptx.Contains($".target {target}\n", StringComparison.Ordinal)) yield return $"its target is not {target}";
        if (ConditionalUniform().IsMatch(ptx)) yield return "a conditional branch is marked as uniform";
        if (ptx.Contains("brx.idx", StringComparison.Ordinal)) yield return "it has a jump table";
        if (GenericAccess().IsMatch(ptx)) yield return "memory is accessed without its space";
        if (ptx.Contains(".extern .func", StringComparison.Ordinal)) yield return "it calls a function that is not there";
        if (!hot) yield break;
        if (ptx.Contains("ld.local", StringComparison.Ordinal) || ptx.Contains("st.local", StringComparison.Ordinal) || ptx.Contains(".local ", StringComparison.Ordinal)) yield return "it uses local memory";
        if (ptx.Contains(".f64", StringComparison.Ordinal)) yield return "it computes in double precision";
        if (!ptx.Contains("ld.global.nc.L1::no_allocate.v4.b32", StringComparison.Ordinal)) yield return "its weight is not loaded sixteen bytes at a time";
    }

    // From a label to a jump back to it, without what is beside the point.
    private static IEnumerable<List<string>> Loops(string ptx)
    {
        var lines = ptx.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && !line.StartsWith("//", StringComparison.Ordinal)).ToList();
        var labels = new Dictionary<string, int>();
        for (var i = 0; i < lines.Count; i++)
        {
            if (lines[i].EndsWith(':')) labels[lines[i][..^1]] = i;
            else if (Jump().Match(lines[i]) is { Success: true } jump && labels.TryGetValue(jump.Groups[1].Value, out var start)) yield return lines[(start + 1)..(i + 1)];
        }
    }

    private static int Instructions(List<string> body)
    {
        var lines = body.Where(line => !line.EndsWith(':') && !line.StartsWith("mov.", StringComparison.Ordinal)).ToList();
        return lines.Count - Fused(lines, "and.b32", "or.b32") - Fused(lines, "mul.f32", "add.f32");
    }

    // A result that is used in a later instruction of the second kind.
    private static int Fused(List<string> lines, string first, string second)
    {
        var results = lines.Where(line => line.StartsWith(first, StringComparison.Ordinal)).Select(line => Operand().Match(line).Value).ToHashSet();
        return lines.Where(line => line.StartsWith(second, StringComparison.Ordinal)).Count(line => Operand().Matches(line).Skip(1).Any(operand => results.Contains(operand.Value)));
    }

    private static bool IsWeightLoad(string line) => line.StartsWith("ld.global.nc.", StringComparison.Ordinal) && line.Contains(".v4", StringComparison.Ordinal);

    [GeneratedRegex(@"\.reg \.[bfsu]32\s+%\w+<(\d+)>")]
    private static partial Regex Names32();

    [GeneratedRegex(@"\.reg \.[bfsu]64\s+%\w+<(\d+)>")]
    private static partial Regex Names64();

    [GeneratedRegex(@"\.shared[^;\[]*\[(\d+)\]")]
    private static partial Regex SharedArrays();

    // Any predicate, however it is named: this finds what a repair has missed.
    [GeneratedRegex(@"@[^;]*\bbra\.uni")]
    private static partial Regex ConditionalUniform();

    [GeneratedRegex(@"^\s+(ld|st)\.(b|f|s|u|v)\d", RegexOptions.Multiline)]
    private static partial Regex GenericAccess();

    [GeneratedRegex(@"\bbra(?:\.uni)?\s+(\w+);")]
    private static partial Regex Jump();

    [GeneratedRegex(@"%\w+")]
    private static partial Regex Operand();
}
