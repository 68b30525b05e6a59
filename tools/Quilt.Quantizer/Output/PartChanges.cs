using Quilt.Quantizer.Plan;

namespace Quilt.Quantizer.Output;

/// <summary>What is written of a part otherwise than the source has it; all by the names in the result.</summary>
internal sealed class PartChanges
{
    /// <summary>No changes.</summary>
    public static PartChanges None { get; } = new();

    /// <summary>Weights of modules by path, to be quantized or written instead of the source's.</summary>
    public IReadOnlyDictionary<string, WeightRows> Weights { get; init; } = new Dictionary<string, WeightRows>();

    /// <summary>
    /// Scales of modules by path, one for each group of a row as the module's scheme has them ([rows, groups], values of the weight's dtype, each
    /// finite and more than 0), to be used instead of those that the largest values give.
    /// </summary>
    public IReadOnlyDictionary<string, float[]> Scales { get; init; } = new Dictionary<string, float[]>();

    /// <summary>Values of tensors that belong to no module, by name: norms and biases. They are rounded to the tensor's type.</summary>
    public IReadOnlyDictionary<string, float[]> Vectors { get; init; } = new Dictionary<string, float[]>();
}
