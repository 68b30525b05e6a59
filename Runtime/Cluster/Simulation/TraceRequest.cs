namespace Quilt.Cluster.Simulation;

/// <summary>A part of a prompt: the first tokens of some content. Equal contents have equal tokens, which is all that caches see.</summary>
/// <param name="Content">What it is, a name.</param>
/// <param name="Tokens">How many tokens.</param>
internal readonly record struct TracePart(string Content, int Tokens);

/// <summary>One request of a trace.</summary>
/// <param name="Id">Its name in the trace.</param>
/// <param name="Prompt">The prompt's parts.</param>
/// <param name="Reply">The reply: what a later prompt names it, and its tokens.</param>
internal sealed record TraceRequest(string Id, IReadOnlyList<TracePart> Prompt, TracePart Reply)
{
    /// <summary>When it comes, in seconds from the trace's start; of one that follows another, the earliest.</summary>
    public double At { get; init; }

    /// <summary>The request after whose end it comes; null: it comes on its own.</summary>
    public string? After { get; init; }

    /// <summary>Seconds from that one's end.</summary>
    public double Delay { get; init; }

    /// <summary>The session it belongs to.</summary>
    public string? Session { get; init; }

    /// <summary>For whom caches are kept apart.</summary>
    public string? Tenant { get; init; }

    /// <summary>Tokens of the prompt.</summary>
    public int PromptTokens => Prompt.Sum(part => part.Tokens);
}
