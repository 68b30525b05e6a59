using Quilt.Runtime.Kv;

namespace Quilt.Cluster.Routing;

/// <summary>What a router knows of a request before any engine has seen it. What a policy does not look at may be left out.</summary>
internal sealed record RoutingRequest
{
    /// <summary>The model's name, aliases resolved: only replicas of it come into question.</summary>
    public required string Model { get; init; }

    /// <summary>For whom caches are kept apart; it is part of <see cref="Blocks"/> already, since it salts the first block's hash.</summary>
    public string? Tenant { get; init; }

    /// <summary>What ties the requests of a session together (<see cref="SessionKey"/>); null where the caller gave nothing.</summary>
    public string? Session { get; init; }

    /// <summary>The prompt as text (<see cref="RoutingText"/>); policies that know no tokens go by it.</summary>
    public string Text { get; init; } = "";

    /// <summary>Tokens of the prompt after templating; 0 where nobody has counted them.</summary>
    public int Tokens { get; init; }

    /// <summary>The hashes of the prompt's full blocks, the first block first, salted by tenant and cache salt.</summary>
    public IReadOnlyList<BlockHash> Blocks { get; init; } = [];

    /// <summary>Most tokens of the reply; null where the caller left it open.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>What is to be done: <see cref="ReplicaRole.Prefill"/> the prompt alone, else a reply.</summary>
    public ReplicaRole Role { get; init; } = ReplicaRole.Decode;
}

/// <summary>What ties the requests of one session together.</summary>
internal static class SessionKey
{
    /// <summary>The header's value, or the body's where there is no header; empty ones are none.</summary>
    public static string? Of(string? header, string? body) =>
        !string.IsNullOrEmpty(header) ? header : !string.IsNullOrEmpty(body) ? body : null;
}
