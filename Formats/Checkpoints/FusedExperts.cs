using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints;

/// <summary>
/// Experts that a file holds all in one tensor, as one entry a matrix and expert. transformers 5 fuses the experts of most families into gate_up_proj
/// [experts, 2 · inner, model], gate first, and down_proj [experts, model, inner]; gpt-oss has a form of its own (<see cref="StackedExperts"/>).
/// </summary>
internal static class FusedExperts
{
    /// <summary>The parts of a fused tensor; any other tensor as it is.</summary>
    /// <exception cref="BadInputException">It is fused, but has another type or shape.</exception>
    public static IEnumerable<TensorEntry> Split(string modelType, TensorEntry entry)
    {
        // A look at the shape first, for checkpoints of a hundred thousand tensors.
        if (modelType == "gpt_oss") return entry.Shape.Length is 2 or 3 && StackedExperts.Split(entry) is { } stacked ? stacked : [entry];
        if (entry.Shape.Length != 3) return [entry];
        var name = entry.Name.EndsWith(".weight", StringComparison.Ordinal) ? entry.Name[..^".weight".Length] : entry.Name;
        if (name.EndsWith(".experts.gate_up_proj", StringComparison.Ordinal)) return Rows(entry, name, "gate_proj", "up_proj");
        if (name.EndsWith(".experts.down_proj", StringComparison.Ordinal)) return Rows(entry, name, "down_proj");
        return [entry];
    }

    private static IEnumerable<TensorEntry> Rows(TensorEntry entry, string name, params string[] matrices)
    {
        if (entry.Type is not (DType.BF16 or DType.F16 or DType.F32))
            throw new BadInputException(entry.File, entry.Name,
                $"expected BF16, F16 or F32, the types supported for fused experts, found {entry.Type.FileName()}");
        var (experts, rows, columns) = (entry.Shape[0], entry.Shape[1], entry.Shape[2]);
        if (experts is 0 or > SizeLimits.Experts || rows == 0 || columns == 0 || rows % matrices.Length != 0)
            throw new BadInputException(entry.File, entry.Name,
                $"expected [1 to {SizeLimits.Experts} experts, {(matrices.Length == 2 ? "2 * " : "")}rows, columns], found {entry.ShapeText}");
        var stem = name[..(name.LastIndexOf('.') + 1)];
        var bytes = entry.Length / experts / matrices.Length;
        for (var e = 0; e < experts; e++)
        {
            for (var m = 0; m < matrices.Length; m++)
            {
                yield return entry with
                {
                    Part = $"{stem}{e}.{matrices[m]}.weight",
                    Shape = [rows / matrices.Length, columns],
                    Offset = entry.Offset + (((e * matrices.Length) + m) * bytes),
                    Length = bytes,
                };
            }
        }
    }
}
