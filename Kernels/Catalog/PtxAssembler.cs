using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using ILGPU.Runtime.Cuda;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Catalog;

/// <summary>What NVIDIA's assembler made of a kernel.</summary>
/// <param name="Registers">Registers a thread.</param>
/// <param name="Spilled">Bytes of registers that it had to move to local memory.</param>
/// <param name="Instructions">All instructions.</param>
/// <param name="Loop">Instructions of the innermost loop with mma instructions; 0 where there is none.</param>
/// <param name="Loads">16-byte loads from global memory in that loop.</param>
/// <param name="MatrixInstructions">Matrix instructions in that loop.</param>
/// <param name="Local">Accesses of local memory in that loop.</param>
internal sealed record AssembledKernel(int Registers, int Spilled, int Instructions, int Loop, int Loads, int MatrixInstructions, int Local);

/// <summary>
/// NVIDIA's assembler and disassembler (<c>ptxas</c>, <c>nvdisasm</c> of a CUDA toolkit), for tests and tools: they show what a driver will make of
/// the PTX, without a GPU. Looked for in the folder that <c>QUILT_CUDA_BIN</c> names, then on the path.
/// </summary>
internal static partial class PtxAssembler
{
    private static readonly Lazy<string?> Found =
        new(() => Folders().FirstOrDefault(folder => File.Exists(Path.Combine(folder, "ptxas")) && File.Exists(Path.Combine(folder, "nvdisasm"))));

    private static readonly Lazy<string> Help = new(() => Run("ptxas", "--help"));

    /// <summary>Why nothing can be assembled here; null where it can.</summary>
    public static string? WhyNot => Found.Value is null ? "there is no ptxas and nvdisasm, neither in QUILT_CUDA_BIN nor on the path" : null;

    /// <summary>The toolkit's version, e.g. <c>12.4</c>.</summary>
    public static string Version { get; } = WhyNot is null ? Release().Match(Run("ptxas", "--version")).Groups[1].Value : "";

    /// <summary>Whether it knows an architecture: a toolkit is older than the GPUs that come after it.</summary>
    public static bool Knows(CudaArchitecture architecture) => Help.Value.Contains($"'{PtxFix.Target(architecture)}'", StringComparison.Ordinal);

    /// <summary>Assembles a text and looks at what came of it.</summary>
    /// <exception cref="InvalidOperationException">The assembler refuses it; the message is the assembler's.</exception>
    public static AssembledKernel Assemble(string ptx, CudaArchitecture architecture)
    {
        var folder = Directory.CreateTempSubdirectory("quilt-ptx").FullName;
        try
        {
            var (text, code) = (Path.Combine(folder, "kernel.ptx"), Path.Combine(folder, "kernel.cubin"));
            File.WriteAllText(text, ptx);
            var said = Run("ptxas", $"-arch={PtxFix.Target(architecture)}", "-v", text, "-o", code);
            var instructions = Run("nvdisasm", "-c", code).Split('\n');
            var loop = Loops(instructions).Where(body => body.Any(IsMatrix)).MinBy(body => body.Count) ?? [];
            return new(
                Number(Used(), said), Number(SpillStores(), said), instructions.Count(line => Instruction().IsMatch(line)), loop.Count,
                loop.Count(IsLoad), loop.Count(IsMatrix),
                loop.Count(line => line.StartsWith("LDL", StringComparison.Ordinal) || line.StartsWith("STL", StringComparison.Ordinal)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The instructions from each label to each jump back to it.</summary>
    private static IEnumerable<List<string>> Loops(string[] lines)
    {
        var labels = new Dictionary<string, int>();
        var code = new List<string>();
        foreach (var line in lines)
        {
            if (Label().Match(line) is { Success: true } label) labels[label.Groups[1].Value] = code.Count;
            if (Instruction().Match(line) is not { Success: true } instruction) continue;
            code.Add(Predicate().Replace(instruction.Groups[1].Value, ""));
            if (Branch().Match(code[^1]) is { Success: true } jump && labels.TryGetValue(jump.Groups[1].Value, out var start))
                yield return code[start..];
        }
    }

    private static bool IsMatrix(string instruction) => Matrix().IsMatch(instruction);

    private static bool IsLoad(string instruction) =>
        instruction.StartsWith("LDG", StringComparison.Ordinal) && instruction.Contains(".128", StringComparison.Ordinal);

    private static int Number(Regex pattern, string text) => int.Parse(pattern.Match(text).Groups[1].ValueSpan, CultureInfo.InvariantCulture);

    private static IEnumerable<string> Folders() =>
        new[] { Environment.GetEnvironmentVariable("QUILT_CUDA_BIN") }.Concat(
            (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)).OfType<string>().Where(folder => folder.Length > 0);

    private static string Run(string tool, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Path.Combine(Found.Value!, tool), arguments)
        { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output + error.Result : throw new InvalidOperationException($"{tool}: {error.Result}{output}");
    }

    [GeneratedRegex(@"release (\d+\.\d+)")]
    private static partial Regex Release();

    [GeneratedRegex(@"Used (\d+) registers")]
    private static partial Regex Used();

    [GeneratedRegex(@"(\d+) bytes spill stores")]
    private static partial Regex SpillStores();

    [GeneratedRegex(@"^(\.L_x_\d+):")]
    private static partial Regex Label();

    [GeneratedRegex(@"/\*[0-9a-f]{4,}\*/\s+(.*?)\s*;")]
    private static partial Regex Instruction();

    [GeneratedRegex(@"^@\S+\s+")]
    private static partial Regex Predicate();

    [GeneratedRegex(@"^BRA.*\((\.L_x_\d+)\)")]
    private static partial Regex Branch();

    [GeneratedRegex(@"^[HQI]MMA")]
    private static partial Regex Matrix();
}
