using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Quilt.Tests.Hosting.Telemetry;

/// <summary>A log that a test reads: everything from Trace on, with what an exception says.</summary>
internal sealed class MemoryLog : ILoggerFactory, ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<(LogLevel Level, int Id, string Text)> lines = new();

    public LogLevel Least { get; init; } = LogLevel.Trace;

    public IReadOnlyList<(LogLevel Level, int Id, string Text)> Lines => [.. lines];

    public string Text => string.Join("\n", lines.Select(line => line.Text));

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull
    {
        lines.Enqueue((LogLevel.Trace, 0, $"scope {state}"));
        return null;
    }

    public bool IsEnabled(LogLevel logLevel) => logLevel >= Least;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        lines.Enqueue((logLevel, eventId.Id, $"{formatter(state, exception)} {exception}"));

    public void Dispose()
    {
    }
}
