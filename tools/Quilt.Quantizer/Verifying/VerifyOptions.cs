namespace Quilt.Quantizer.Verifying;

/// <summary>What is asked of <see cref="Verifier"/>.</summary>
internal sealed record VerifyOptions
{
    /// <summary>
    /// Prompts for the comparison with the official model; null: some texts in the model's tokens, or random ids where it has no tokenizer.
    /// </summary>
    public IReadOnlyList<int[]>? Prompts { get; init; }

    /// <summary>Whether the models are run beside each other, which reads each of them once more; weights are compared in any case.</summary>
    public bool Forward { get; init; } = true;

    /// <summary>Threads; 0: one a core. Each holds a matrix of both models in float32.</summary>
    public int Threads { get; init; }
}
