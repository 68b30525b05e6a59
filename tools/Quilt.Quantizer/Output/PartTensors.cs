using System.Buffers;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Plan;

namespace Quilt.Quantizer.Output;

/// <summary>The tensors of a part of the result, known before any is made, and what writes them.</summary>
internal sealed class PartTensors(QuantizePlan plan, PlannedPart part, int threads, CancellationToken cancel)
{
    private readonly RowLoop loop = new(threads, cancel);

    /// <summary>What the part consists of, in the order of the model.</summary>
    public static OutputPart Layout(QuantizePlan plan, PlannedPart part) => new(part.Name,
        [.. new PartTensors(plan, part, 1, default).Tensors(PartChanges.None)
            .Select(tensor => new OutputTensor(tensor.Name, tensor.Type, tensor.Shape))]);

    /// <summary>
    /// The same tensors as <see cref="Layout"/>, which read the source, or the changes, when they are written: one module at a time.
    /// </summary>
    /// <exception cref="ArgumentException">A change is of something that the part does not have, or that cannot be changed.</exception>
    public IReadOnlyList<TensorToWrite> Tensors(PartChanges changes)
    {
        var left = changes.Weights.Keys.Concat(changes.Scales.Keys).Concat(changes.Vectors.Keys).ToHashSet(StringComparer.Ordinal);
        var tensors = new List<TensorToWrite>();
        foreach (var module in part.Modules)
        {
            left.Remove(module.Name);
            if (!module.InTensor) tensors.AddRange(Module(module, changes));
            else if (changes.Weights.ContainsKey(module.Name)) throw new ArgumentException($"{module.Name} is copied in one tensor with others.");
            tensors.AddRange(module.Extras.Select(Extra));
        }
        tensors.AddRange(part.Others.Select(Extra));
        return left.Count == 0 ? tensors : throw new ArgumentException($"{part.Name} has no {left.First()} that could be changed.", nameof(changes));

        TensorToWrite Extra(TensorEntry tensor)
        {
            var name = NameOf(WeightTensors.NameOf(tensor));
            left.Remove(name);
            if (!changes.Vectors.TryGetValue(name, out var values)) return CopiedTensor.As(name, plan.Source, tensor);
            if (values.Length != tensor.Elements) throw new ArgumentException($"{name} has {tensor.Elements} values, not {values.Length}.");
            return new(name, tensor.Type, tensor.Shape, FloatBytes.Encode(tensor.Type, values));
        }
    }

    private IEnumerable<TensorToWrite> Module(PlannedModule module, PartChanges changes)
    {
        changes.Weights.TryGetValue(module.Name, out var weight);
        if (module.Scheme is { } scheme)
        {
            return ModuleWriter.Tensors(module.Name, weight ?? WeightRows.Of(module.Stored), scheme, plan.IsOfficialFp8, loop,
                changes.Scales.GetValueOrDefault(module.Name));
        }
        if (weight is null && module.PlainType is null) return module.Stored.Tensors.Concat(Shapes(module)).Select(tensor => Copy(module, tensor));
        if (module.Result is not null) throw new ArgumentException($"{module.Name} is copied as codes and cannot be changed.", nameof(changes));
        return [Plain(module, weight ?? WeightRows.Of(module.Stored))];
    }

    private TensorToWrite Copy(PlannedModule module, TensorEntry tensor)
    {
        var name = NameOf($"{module.Name}.{WeightTensors.Suffix(tensor)}");
        return plan.IsOfficialFp8 && name.EndsWith(".weight_scale_inv", StringComparison.Ordinal)
            ? CopiedTensor.As(name, plan.Source, tensor, DType.F32)
            : CopiedTensor.As(name, plan.Source, tensor);
    }

    // The shape beside packed codes is none of the tensors that are read, but part of the form.
    private IEnumerable<TensorEntry> Shapes(PlannedModule module) =>
        plan.Source.Find($"{module.Shape.Name}.weight_shape") is { } shape ? [shape] : [];

    private TensorToWrite Plain(PlannedModule module, WeightRows weight)
    {
        var type = module.PlainType ?? module.Stored.Tensors[0].Type;
        return new($"{module.Name}.weight", type, [weight.Rows, weight.Columns], to =>
        {
            var size = type.BitSize() / 8;
            var batch = loop.BatchRows(weight);
            var bytes = ArrayPool<byte>.Shared.Rent(checked(batch * weight.Columns * size));
            try
            {
                for (var first = 0; first < weight.Rows; first += batch)
                {
                    var (begin, end) = (first, Math.Min(first + batch, weight.Rows));
                    loop.Run(weight, begin, end, (start, rows) =>
                        FloatBytes.Encode(type, rows, bytes.AsSpan((start - begin) * weight.Columns * size, rows.Length * size)));
                    to.Write(bytes.AsSpan(0, (end - begin) * weight.Columns * size));
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(bytes);
            }
        });
    }

    // Scales of FP8 have one name in the official form and another in compressed-tensors'; both are multipliers.
    private string NameOf(string name)
    {
        const string Official = ".weight_scale_inv", Other = ".weight_scale";
        if (!plan.IsOfficialFp8 && name.EndsWith(Official, StringComparison.Ordinal)) return name[..^Official.Length] + Other;
        return plan.IsOfficialFp8 && name.EndsWith(Other, StringComparison.Ordinal) ? name[..^Other.Length] + Official : name;
    }
}
