using Quilt.Runtime;
using Spectre.Console;

namespace Quilt.Cli;

/// <summary>A bar on standard error while something big loads; nothing where that is no terminal, or before two seconds have passed.</summary>
internal static class LoadingBar
{
    /// <summary>Runs <paramref name="load"/>, which reports bytes.</summary>
    /// <param name="load">What is done.</param>
    /// <param name="what">What it is called beside the bar.</param>
    public static async Task<T> ShowAsync<T>(Func<IProgress<LoadProgress>?, Task<T>> load, string what = "loading")
    {
        if (Console.IsErrorRedirected) return await load(null);
        var latest = new Latest();
        var loading = load(latest);
        if (await Task.WhenAny(loading, Task.Delay(TimeSpan.FromSeconds(2))) == loading) return await loading;

        var terminal = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        await terminal.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(),
                new RemainingTimeColumn())
            .StartAsync(async bars =>
            {
                var bar = bars.AddTask(what, maxValue: Math.Max(1, latest.Value.BytesTotal));
                while (!loading.IsCompleted)
                {
                    (bar.MaxValue, bar.Value) = (Math.Max(1, latest.Value.BytesTotal), latest.Value.BytesDone);
                    await Task.WhenAny(loading, Task.Delay(100));
                }
            });
        return await loading;
    }

    private sealed class Latest : IProgress<LoadProgress>
    {
        private readonly Lock gate = new();
        private LoadProgress value;

        public LoadProgress Value
        {
            get
            {
                lock (gate) return value;
            }
        }

        public void Report(LoadProgress value)
        {
            lock (gate) this.value = value;
        }
    }
}
