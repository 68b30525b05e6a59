using Spectre.Console;

namespace Quilt.Cli.Bench.Serve;

/// <summary>A bar on standard error while requests run; nothing where that is no terminal.</summary>
internal static class LoadBar
{
    /// <summary>Waits for <paramref name="running"/>.</summary>
    public static async Task<LoadResult> ShowAsync(Task<LoadResult> running, Func<int> done, int requests)
    {
        if (Console.IsErrorRedirected) return await running;
        var terminal = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        await terminal.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async bars =>
            {
                var bar = bars.AddTask("requests", maxValue: requests);
                while (!running.IsCompleted)
                {
                    bar.Value = done();
                    await Task.WhenAny(running, Task.Delay(250));
                }
            });
        return await running;
    }
}
