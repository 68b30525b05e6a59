using Microsoft.Extensions.Logging;
using Quilt.Runtime;

namespace Quilt.Hosting.Telemetry;

/// <summary>
/// Hears what one engine does and counts it, for the meter and for /metrics. Runs on the engine's thread, where a step costs no garbage; who reads
/// does so from any other.
/// </summary>
/// <param name="model">The name of the engine's model.</param>
/// <param name="meter">The meter.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where it is said that the engine failed.</param>
internal sealed class ServerObserver(string model, ServerMeter meter, TimeProvider time, ILogger logger) : EngineObserver
{
    private readonly List<Generation> reading = [];                          // begun, without a token as yet
    private readonly Dictionary<object, (int Left, int Most)> several = new(ReferenceEqualityComparer.Instance);
    private volatile ModelCounts? counts;
    private EngineSnapshot last;
    private long lastStep;
    private long lastProgress;
    private int inFlight;
    private bool failed;

    /// <summary>How long nothing has happened though there are requests; zero where there are none.</summary>
    public TimeSpan Stalled =>
        Volatile.Read(ref inFlight) == 0 ? TimeSpan.Zero : time.GetElapsedTime(Volatile.Read(ref lastProgress));

    /// <summary>What happens from now on is counted. Called while the engine has nothing to do.</summary>
    public void Begin(ModelCounts into) => counts = into;

    /// <inheritdoc/>
    public override void StepEnded(in StepReport step)
    {
        var now = time.GetTimestamp();
        if (counts is { } into)
        {
            into.Step(step, last);
            meter.Step(model, step, last);
            // Every reply that runs got a token in this step and in the one before.
            if (step.DecodeTokens > 0) into.InterTokenTime.Add(time.GetElapsedTime(lastStep, now).TotalSeconds, step.DecodeTokens);
            CountFirstTokens(into);
        }
        (last, lastStep) = (step.Snapshot, now);
        Volatile.Write(ref lastProgress, now);
    }

    /// <inheritdoc/>
    public override void RequestSubmitted(Generation generation)
    {
        if (inFlight == 0) Volatile.Write(ref lastProgress, time.GetTimestamp());
        Volatile.Write(ref inFlight, inFlight + 1);
    }

    /// <inheritdoc/>
    public override void RequestStarted(Generation generation)
    {
        if (counts is not null) reading.Add(generation);
    }

    /// <inheritdoc/>
    public override void RequestEnded(Generation generation)
    {
        // An engine that failed ends requests that it never let in.
        Volatile.Write(ref inFlight, Math.Max(0, inFlight - 1));
        Volatile.Write(ref lastProgress, time.GetTimestamp());
        if (generation.End is not { } end) return;
        if (counts is { } into)
        {
            into.Request(generation, end.Reason);
            CountChoices(into, generation);
            if (reading.IndexOf(generation) is >= 0 and var at)
            {
                Forget(at);
                if (generation.Stats.GeneratedTokens > 0) into.TimeToFirstToken.Add(generation.Stats.PromptTime);
            }
        }
        if (failed || end.Error is not EngineFailedException error) return;
        failed = true;
        Log.EngineFailed(logger, error.InnerException ?? error, model);
    }

    private void CountFirstTokens(ModelCounts into)
    {
        for (var i = reading.Count - 1; i >= 0; i--)
        {
            if (reading[i].Stats.GeneratedTokens == 0) continue;
            into.TimeToFirstToken.Add(reading[i].Stats.PromptTime);
            Forget(i);
        }
    }

    private void Forget(int at)
    {
        reading[at] = reading[^1];
        reading.RemoveAt(reading.Count - 1);
    }

    // A request's choices share their prompt, and end one by one.
    private void CountChoices(ModelCounts into, Generation generation)
    {
        var most = generation.Stats.GeneratedTokens;
        if (generation.Choices > 1)
        {
            var (left, longest) = several.GetValueOrDefault(generation.PromptIds, (generation.Choices, 0));
            most = Math.Max(most, longest);
            if (left > 1)
            {
                several[generation.PromptIds] = (left - 1, most);
                return;
            }
            several.Remove(generation.PromptIds);
        }
        into.RequestChoices.Add(generation.Choices);
        into.RequestMostGeneratedTokens.Add(most);
    }
}
