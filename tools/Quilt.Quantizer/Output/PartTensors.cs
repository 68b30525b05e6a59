using Quilt.Formats.Tensors;
using Quilt.Quantizer.Plan;

namespace Quilt.Quantizer.Output;

/// <summary>The tensors of a part of the result, known before any is made, and what writes them.</summary>
internal sealed class PartTensors(QuantizePlan plan, PlannedPart part, int threads, CancellationToken cancel)
{
    /// <summary>What the part consists of, in the order of the model.</summary>
    public static OutputPart Layout(QuantizePlan plan, PlannedPart part) => throw new NotImplementedException();

    /// <summary>The same tensors as <see cref="Layout"/>, which read the source, or the changes, when they are written: one module at a time.</summary>
    public IReadOnlyList<TensorToWrite> Tensors(PartChanges changes) =>
        throw new NotImplementedException($"{plan} {part} {threads} {cancel} {changes}");
}
