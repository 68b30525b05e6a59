using Quilt.Runtime;

namespace Quilt.Tests.Hosting.Telemetry;

/// <summary>Holds an engine's thread where it is told to, so that a test can look at it there.</summary>
internal sealed class BlockingObserver : EngineObserver, IDisposable
{
    /// <summary>Whether it holds the thread where a request begins.</summary>
    public volatile bool IsOn;

    /// <summary>Whether it holds the thread where a step has ended.</summary>
    public volatile bool HoldsSteps;

    /// <summary>The thread is held.</summary>
    public ManualResetEventSlim Reached { get; } = new();

    /// <summary>Lets it go.</summary>
    public ManualResetEventSlim Release { get; } = new();

    public override void StepEnded(in StepReport step) => Hold(HoldsSteps);

    public override void RequestStarted(Generation generation) => Hold(IsOn);

    public void Dispose()
    {
        Reached.Dispose();
        Release.Dispose();
    }

    private void Hold(bool holds)
    {
        if (!holds) return;
        Reached.Set();
        Release.Wait();
    }
}
