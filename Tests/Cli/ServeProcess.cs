using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Quilt.Tests.Cli;

/// <summary><c>quilt serve</c> as a process of its own, on a free port.</summary>
internal sealed partial class ServeProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly List<string> said = [];

    private ServeProcess(Process process) => this.process = process;

    /// <summary>Where it listens.</summary>
    public string Url { get; private set; } = "";

    /// <summary>What it said on standard error until it could answer.</summary>
    public IReadOnlyList<string> Said => said;

    /// <summary>The process.</summary>
    public int Id => process.Id;

    /// <summary>The time that its threads have run.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    /// <summary>Starts it and waits until it can answer.</summary>
    public static async Task<ServeProcess> StartAsync(params string[] arguments)
    {
        var serve = new ServeProcess(QuiltProcess.Start(["serve", .. arguments, "--port", "0"]));
        using var hang = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (await serve.process.StandardError.ReadLineAsync(hang.Token) is { } line)
        {
            serve.said.Add(line);
            if (!line.Contains("listening on http", StringComparison.Ordinal)) continue;
            serve.Url = line[line.IndexOf("http", StringComparison.Ordinal)..];
            return serve;
        }
        throw new AssertionException($"It did not start: {string.Join('\n', serve.said)}");
    }

    /// <summary>Asks it to end.</summary>
    public void Terminate()
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("Windows has no SIGTERM.");
        Assert.That(Kill(process.Id, 15), Is.Zero);
    }

    /// <summary>Ends it as nothing can be done against.</summary>
    public void Kill() => process.Kill();

    /// <summary>Waits for its end.</summary>
    /// <returns>Its exit code and the rest of standard error.</returns>
    public async Task<(int Code, string Errors)> ExitAsync()
    {
        using var hang = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        var rest = await process.StandardError.ReadToEndAsync(hang.Token);
        await process.WaitForExitAsync(hang.Token);
        return (process.ExitCode, rest);
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
