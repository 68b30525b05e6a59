using Microsoft.Extensions.Logging;
using Quilt.Runtime;

namespace Quilt.Hosting.Telemetry;

/// <summary>Tells several observers, in order. One that throws is told nothing more, which the log says once; the others are.</summary>
internal sealed class ObserverList(ILogger logger, params EngineObserver[] observers) : EngineObserver
{
    private readonly EngineObserver?[] told = [.. observers];

    /// <inheritdoc/>
    public override void StepEnded(in StepReport step) => Tell(step, static (observer, step) => observer.StepEnded(step));

    /// <inheritdoc/>
    public override void RequestSubmitted(Generation generation) =>
        Tell(generation, static (observer, generation) => observer.RequestSubmitted(generation));

    /// <inheritdoc/>
    public override void RequestStarted(Generation generation) =>
        Tell(generation, static (observer, generation) => observer.RequestStarted(generation));

    /// <inheritdoc/>
    public override void RequestEnded(Generation generation) =>
        Tell(generation, static (observer, generation) => observer.RequestEnded(generation));

    private void Tell<T>(T what, Action<EngineObserver, T> how)
    {
        for (var i = 0; i < told.Length; i++)
        {
            if (told[i] is not { } observer) continue;
            try
            {
                how(observer, what);
            }
#pragma warning disable CA1031 // What one of them throws is no reason to leave the others in the dark.
            catch (Exception thrown)
#pragma warning restore CA1031
            {
                told[i] = null;
                Log.ObserverFailed(logger, thrown, observer.GetType().Name);
            }
        }
    }
}
