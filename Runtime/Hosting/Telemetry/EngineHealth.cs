using Microsoft.AspNetCore.Http;
using Quilt.Hosting.Models;

namespace Quilt.Hosting.Telemetry;

/// <summary>
/// How the engines are. Live: none has failed, and those that have requests make steps. Ready: what is loaded at the start is loaded and warm, and
/// the host is not stopping. What it says may be told to anybody.
/// </summary>
internal sealed class EngineHealth(QuiltServer server, ModelWatch watch)
{
    private readonly ServedModels models = server.Models;

    /// <summary>What <c>/health</c> answers: 200, or 503 where an engine is dead or the host is stopping.</summary>
    public int Status => Sickness is null && !server.IsStopping ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;

    /// <summary>Why it is not live; null where it is.</summary>
    public string? Sickness
    {
        get
        {
            foreach (var model in models.All)
            {
                if (model.Engine is not { } engine) continue;
                if (engine.Failure is not null) return $"The engine of {model.Name} has failed.";
                if (watch.Stalled(model) is var stalled && stalled >= server.Options.LivenessTime)
                    return $"The engine of {model.Name} has requests and made no step for {stalled.TotalSeconds:0} s.";
            }
            return null;
        }
    }

    /// <summary>Why it is not ready; null where it is.</summary>
    public string? Unreadiness
    {
        get
        {
            if (server.IsStopping) return "The host is stopping.";
            foreach (var model in models.All)
            {
                if (model.IsPinned && (model.Engine is null || !watch.IsWarm(model))) return $"{model.Name} is not loaded.";
            }
            return null;
        }
    }
}
