using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Quilt.Tests.Kernels.Gpu;

/// <summary>
/// The program <c>quilt</c> in a process of its own, with the stand-in for a GPU's driver (Tests/Native/standin-cuda.c), which is compiled here.
/// Kernels are taken and not run: what it shows is what is asked of a driver, in what order, and what becomes of its errors.
/// </summary>
internal sealed partial class StandIn : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("quilt-standin-").FullName;

    private StandIn()
    {
    }

    /// <summary>What a run did.</summary>
    /// <param name="ExitCode">Of the program.</param>
    /// <param name="Output">Its standard output.</param>
    /// <param name="Error">Its standard error.</param>
    /// <param name="Calls">Calls of the driver, each with its numbers.</param>
    public sealed record Result(int ExitCode, string Output, string Error, string[] Calls)
    {
        /// <summary>Calls of a function.</summary>
        public int Count(string function) =>
            Calls.Count(call => call.Split(' ') is [var name, ..] numbers && name == function && (numbers.Length < 2 || numbers[1] != "fails"));

        /// <summary>Where a function is first called; −1 if it is not.</summary>
        public int First(string function) => Array.FindIndex(Calls, call => call.Split(' ')[0] == function);
    }

    /// <summary>Why it cannot be built here; null if it can.</summary>
    public static string? WhyNot => !OperatingSystem.IsLinux() || !File.Exists(Program) ? "it is for Linux"
        : Array.Exists((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'), folder => File.Exists(Path.Combine(folder, "cc"))) ? null
        : "there is no C compiler";

    /// <summary>Compiles the stand-in.</summary>
    public static StandIn Build(string compiler, bool graphs = true)
    {
        var made = new StandIn();
        string[] without = graphs ? [] : ["-DWITHOUT_GRAPHS"];
        using var run = Process.Start(new ProcessStartInfo(compiler,
            ["-shared", "-fPIC", "-O1", .. without, "-o", made.Library, Path.Combine(AppContext.BaseDirectory, "Native", "standin-cuda.c")]))!;
        run.WaitForExit();
        Assert.That(run.ExitCode, Is.Zero, compiler);
        return made;
    }

    private static string Program => Path.Combine(AppContext.BaseDirectory, "quilt");

    private string Library => Path.Combine(folder, "libcuda.so.1");

    /// <summary>Runs <c>quilt</c> with a driver that is as <paramref name="settings"/> say, for example <c>SM=80</c>.</summary>
    public Result Run(string[] settings, params string[] arguments)
    {
        var log = Path.Combine(folder, Guid.NewGuid().ToString("N"));
        var start = new ProcessStartInfo(Program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        (start.Environment["QUILT_LIBCUDA"], start.Environment["STANDIN_LOG"]) = (Library, log);
        foreach (var setting in settings) start.Environment[$"STANDIN_{setting.Split('=')[0]}"] = setting.Split('=')[1];
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new(process.ExitCode, output, Warnings().Replace(error.Result, "").Trim(), File.Exists(log) ? File.ReadAllLines(log) : []);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    // What PoCL's compiler says when devices are listed.
    [GeneratedRegex(@"^\d+ warnings? generated\.$\n?", RegexOptions.Multiline)]
    private static partial Regex Warnings();
}
