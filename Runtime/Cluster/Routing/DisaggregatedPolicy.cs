namespace Quilt.Cluster.Routing;

/// <summary>
/// <c>disaggregated_prefill</c>: a request for one token is a prompt to be read, any other a reply to be written; each goes to the first replica of
/// its role. The orchestrated form takes the replicas of a role in turn, and asks for both. (vLLM's production-stack)
/// </summary>
internal sealed class DisaggregatedPolicy(bool orchestrated) : RoutingPolicy
{
    /// <summary>What an answer of status 503 says where nobody reads prompts.</summary>
    public const string NoPrefill = "PREFILL_SERVICE_UNAVAILABLE";

    /// <summary>What an answer of status 503 says where nobody writes replies.</summary>
    public const string NoDecode = "DECODE_SERVICE_UNAVAILABLE";

    private Turns prefills;
    private Turns decodes;

    /// <inheritdoc/>
    public override string Name => orchestrated ? "disaggregated_prefill_orchestrated" : "disaggregated_prefill";

    /// <summary>What a request is for, by the tokens it wants.</summary>
    public static ReplicaRole RoleOf(int? maxTokens) => maxTokens == 1 ? ReplicaRole.Prefill : ReplicaRole.Decode;

    /// <summary>
    /// Who reads the prompt and who writes the reply. The first without a replica says with which code the request is refused; then neither turn has
    /// passed.
    /// </summary>
    public (RoutingChoice Prefill, RoutingChoice Decode) PickBoth(RoutingRequest request, IReadOnlyList<ReplicaState> replicas)
    {
        var writes = request with { MaxTokens = null };
        if (!replicas.Any(replica => replica.Takes(writes, ReplicaRole.Decode)))
        {
            var decode = new RoutingChoice(null, RoutingReason.NoReplica) { Code = NoDecode };
            var reads = replicas.FirstOrDefault(replica => replica.Takes(request, ReplicaRole.Prefill));
            return (reads is null ? decode with { Code = NoPrefill } : new(reads, RoutingReason.Role), decode);
        }
        var prefill = Pick(request with { MaxTokens = 1 }, replicas);
        return prefill.Replica is null ? (prefill, prefill) : (prefill, Pick(writes, replicas));
    }

    /// <inheritdoc/>
    protected override ReplicaRole RoleFor(RoutingRequest request) => RoleOf(request.MaxTokens);

    /// <inheritdoc/>
    protected override string CodeWithout(ReplicaRole role) => role == ReplicaRole.Prefill ? NoPrefill : NoDecode;

    /// <inheritdoc/>
    protected override RoutingChoice Choose(RoutingRequest request, Roster roster)
    {
        if (!orchestrated) return new(roster[0], RoutingReason.Role);
        ref var turns = ref RoleFor(request) == ReplicaRole.Prefill ? ref prefills : ref decodes;
        return new(turns.Next(roster), RoutingReason.Turn);
    }
}
