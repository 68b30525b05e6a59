using System.Diagnostics;

namespace Quilt.Tests.Cli;

/// <summary>The program as a user runs it: a process of its own.</summary>
internal static class QuiltProcess
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "quilt.dll");

    /// <summary>Runs to the end; <paramref name="input"/> is all of standard input.</summary>
    public static async Task<Result> Run(string[] arguments, byte[]? input = null)
    {
        using var process = Start(arguments);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (input is not null) await process.StandardInput.BaseStream.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync(Hang.Token);
        return new Result(process.ExitCode, await output, await errors);
    }

    /// <summary>Starts it, all three streams redirected.</summary>
    public static Process Start(string[] arguments)
    {
        var host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        if (!File.Exists(Program)) Assert.Ignore("The program does not lie beside the tests.");
        var start = new ProcessStartInfo(host, [Program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = new System.Text.UTF8Encoding(false),
            StandardErrorEncoding = new System.Text.UTF8Encoding(false),
        };
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Ignore("There is no dotnet host to run the program with.");
            throw;
        }
    }

    // Not a claim about speed: a program that hangs must not hang the tests.
    private static CancellationTokenSource Hang => new(TimeSpan.FromMinutes(2));

    /// <summary>What a process left behind.</summary>
    public sealed record Result(int ExitCode, string Output, string Errors)
    {
        /// <summary>Lines of standard error that are complaints.</summary>
        public string[] Complaints =>
            [.. Errors.Split('\n',
                StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(line =>
                line.StartsWith("quilt: ", StringComparison.Ordinal) && !line.StartsWith("quilt: warning", StringComparison.Ordinal))];
    }
}
