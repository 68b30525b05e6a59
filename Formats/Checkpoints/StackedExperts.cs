using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints;

/// <summary>
/// The experts of gpt-oss as its files hold them, all of a layer in one tensor, as one entry a matrix and expert. Weights lie as [experts, inputs,
/// outputs], the other way round than everywhere else; the outputs of gate_up_proj are gate and up in turn. So gate, up and down are parts of a
/// tensor with strides of their own.
/// </summary>
internal static class StackedExperts
{
    /// <summary>One entry a matrix or bias of each expert, named as if each stood alone; null if the tensor is none of these.</summary>
    /// <exception cref="BadInputException">It is, but has another type or shape.</exception>
    public static IEnumerable<TensorEntry>? Split(TensorEntry entry)
    {
        var dot = entry.Name.LastIndexOf('.');
        if (!entry.Name.AsSpan(0, Math.Max(0, dot)).EndsWith(".experts")) return null;
        var stem = entry.Name[..dot];
        return entry.Name[(dot + 1)..] switch
        {
            "gate_up_proj" => Weights(entry, stem, "gate_proj", "up_proj"),
            "down_proj" => Weights(entry, stem, "down_proj"),
            "gate_up_proj_bias" => Biases(entry, stem, "gate_proj", "up_proj"),
            "down_proj_bias" => Biases(entry, stem, "down_proj"),
            _ => null,
        };
    }

    // [experts, inputs, outputs · matrices], the outputs of the matrices in turn.
    private static IEnumerable<TensorEntry> Weights(TensorEntry entry, string stem, params string[] matrices)
    {
        Check(entry, 3, matrices.Length);
        var (inputs, width) = (entry.Shape[1], entry.Shape[2]);
        return Cut(entry, stem, matrices, "weight", inputs * width, [width / matrices.Length, inputs], [matrices.Length, width]);
    }

    // [experts, outputs · matrices]
    private static IEnumerable<TensorEntry> Biases(TensorEntry entry, string stem, params string[] matrices)
    {
        Check(entry, 2, matrices.Length);
        var width = entry.Shape[1];
        return Cut(entry, stem, matrices, "bias", width, [width / matrices.Length], [matrices.Length]);
    }

    private static IEnumerable<TensorEntry> Cut(TensorEntry entry, string stem, string[] matrices, string suffix, long elements, long[] shape,
        long[] strides)
    {
        var size = entry.Type.BitSize() / 8;
        for (var e = 0; e < entry.Shape[0]; e++)
        {
            for (var m = 0; m < matrices.Length; m++)
            {
                yield return entry with
                {
                    Part = $"{stem}.{e}.{matrices[m]}.{suffix}",
                    Shape = shape,
                    Strides = strides,
                    Offset = entry.Offset + (((e * elements) + m) * size),
                    Length = elements / matrices.Length * size,
                };
            }
        }
    }

    private static void Check(TensorEntry entry, int rank, int matrices)
    {
        if (entry.Type is not (DType.BF16 or DType.F16 or DType.F32))
            throw new BadInputException(entry.File, entry.Name,
                $"expected BF16, F16 or F32, the types supported for stacked experts, found {entry.Type.FileName()}");
        if (entry.Shape.Length != rank || entry.Shape[0] is 0 or > SizeLimits.Experts || entry.Shape[^1] == 0 || entry.Shape[^1] % matrices != 0)
            throw new BadInputException(entry.File, entry.Name,
                $"expected [1 to {SizeLimits.Experts} experts, {(rank == 3 ? "inputs, " : "")}{(matrices == 2 ? "2 * " : "")}outputs], found " +
                entry.ShapeText);
        if (entry.Length / entry.Shape[0] > Array.MaxLength)
            throw new BadInputException(entry.File, entry.Name,
                $"expected at most {Array.MaxLength} bytes an expert, which are read at once, found {entry.Length / entry.Shape[0]}");
    }
}
