namespace Quilt.Formats.Checkpoints;

/// <summary>
/// What quantization_config says, to be held against the tensors: they are the truth, the config only fills in what they do not tell
/// (docs/checkpoints.md, "Quantization configs").
/// </summary>
internal sealed class QuantConfig
{
    private readonly QuantTargets? targets;

    /// <summary>Nothing is quantized by the config.</summary>
    public static readonly QuantConfig None = new(null, null);

    public QuantConfig(QuantTargets? targets, (int Rows, int Columns)? fp8Block)
    {
        this.targets = targets;
        Fp8Block = fp8Block;
    }

    /// <summary>Block of the official fp8 form; null where the config is of another kind.</summary>
    public (int Rows, int Columns)? Fp8Block { get; }

    /// <summary>True if modules are described by targets.</summary>
    public bool HasTargets => targets is not null;

    /// <summary>The targets; null where modules are not described by any.</summary>
    public QuantTargets? Targets => targets;

    /// <summary>What the config says of one module; null if it is left alone.</summary>
    public QuantArgs? Find(IEnumerable<string> spellings) => targets?.Find([.. spellings]);
}

/// <summary>How the config says a module's weight is quantized.</summary>
/// <param name="Group">The config group, for messages.</param>
/// <param name="Bits">Bits of a code.</param>
/// <param name="IsFloat">Float codes, else integers.</param>
/// <param name="Symmetric">No zero points.</param>
/// <param name="Strategy">tensor, channel, group or block.</param>
/// <param name="GroupSize">Columns that share a scale, for the strategy group.</param>
/// <param name="Block">Rows and columns that share a scale, for the strategy block.</param>
internal sealed record QuantArgs(string Group, int Bits, bool IsFloat, bool Symmetric, string Strategy, int? GroupSize,
    (int Rows, int Columns)? Block);
