namespace Quilt.Runtime;

/// <summary>
/// Is told what an engine does, for meters and logs. Called on the engine's own thread, between two steps: what takes long here is time that every
/// request waits. One that throws is told nothing more, and <see cref="Engine.Warnings"/> says so.
/// </summary>
public abstract class EngineObserver
{
    /// <summary>A step was made.</summary>
    public virtual void StepEnded(in StepReport step)
    {
    }

    /// <summary>A request was let in.</summary>
    public virtual void RequestSubmitted(Generation generation)
    {
    }

    /// <summary>A request begins: its first tokens are part of the step that comes next.</summary>
    public virtual void RequestStarted(Generation generation)
    {
    }

    /// <summary>A request is over; <see cref="Generation.End"/> says how.</summary>
    public virtual void RequestEnded(Generation generation)
    {
    }
}

/// <summary>What a step did.</summary>
/// <param name="PromptTokens">Tokens of prompts, and of what had to be computed again.</param>
/// <param name="DecodeTokens">Tokens of replies.</param>
/// <param name="Time">How long it took, choosing included.</param>
/// <param name="Snapshot">The engine after it.</param>
public readonly record struct StepReport(int PromptTokens, int DecodeTokens, TimeSpan Time, EngineSnapshot Snapshot);
