namespace Quilt.Cluster.Replicas;

/// <summary>A request on its way to the replica that answers it: laid out and checked at the door, one choice.</summary>
/// <param name="Prompt">The prompt's tokens.</param>
/// <param name="PromptText">Its text; null where it came as tokens.</param>
/// <param name="Terms">What was asked for (<see cref="CrossingTerms"/>), JSON.</param>
/// <param name="Begun">Tokens of the reply that another replica has chosen; none as a rule.</param>
/// <param name="Random">Where the random numbers stand behind those.</param>
[GenerateSerializer, Immutable]
internal sealed record ReplicaRequest(
    [property: Id(0)] int[] Prompt, [property: Id(1)] string? PromptText, [property: Id(2)] byte[] Terms, [property: Id(3)] int[] Begun,
    [property: Id(4)] ulong Random)
{
    /// <summary>Where the keys and values of the prompt lie, if another process has computed them.</summary>
    [Id(5)]
    public KvSource? Source { get; init; }
}

/// <summary>A process that has computed a prompt and hands out its blocks.</summary>
/// <param name="Host">Its address.</param>
/// <param name="Port">The port of its KV door.</param>
/// <param name="Blocks">Leading full blocks that it has.</param>
[GenerateSerializer, Immutable]
internal sealed record KvSource([property: Id(0)] string Host, [property: Id(1)] int Port, [property: Id(2)] int Blocks);
