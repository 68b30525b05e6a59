using Microsoft.Extensions.Logging;

namespace Quilt.Hosting.Telemetry;

/// <summary>What went wrong in a way that no request should bring about: the client hears that it did, the log hears what.</summary>
internal sealed class FailureLog(ILoggerFactory loggers)
{
    private readonly ILogger logger = loggers.CreateLogger(Log.Category);

    /// <summary>Writes what it was and where, but not its message: that may hold what the request said.</summary>
    public void Write(Exception failure)
    {
        for (var one = failure; one is not null; one = one.InnerException) Log.RequestFailed(logger, one.GetType().Name, one.StackTrace ?? "-");
    }
}
