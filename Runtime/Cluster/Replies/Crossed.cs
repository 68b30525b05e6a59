using Quilt.Cluster.Replicas;
using Quilt.Runtime.Sampling;

namespace Quilt.Cluster.Replies;

/// <summary>Tokens that have crossed, as the engine's own reader takes them.</summary>
internal static class Crossed
{
    /// <summary>The token.</summary>
    /// <param name="token">As it came.</param>
    /// <param name="sampling">What was asked for, which says whose probabilities the named ones are.</param>
    public static TokenChoice Choice(in ReplicaToken token, SamplingOptions sampling) => new(token.Id, token.LogProbability, Top(token))
    {
        Asked = token.Asked is { } asked ? [.. asked.Zip(sampling.LogProbabilityTokens, (value, id) => new TokenProbability(id, value))] : null,
    };

    private static TokenProbability[] Top(in ReplicaToken token)
    {
        if (token is not { TopIds: { } ids, TopValues: { } values }) return [];
        var top = new TokenProbability[Math.Min(ids.Length, values.Length)];
        for (var i = 0; i < top.Length; i++) top[i] = new(ids[i], values[i]);
        return top;
    }
}
