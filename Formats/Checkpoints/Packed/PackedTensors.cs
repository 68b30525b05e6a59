using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints.Packed;

/// <summary>The tensors of a packed file, each of a weight with what the weight is; those of a stack cut into one a matrix.</summary>
internal static class PackedTensors
{
    private const string Experts = ".experts.";

    /// <summary>All tensors but fillers.</summary>
    /// <exception cref="BadInputException">The tag is wrong, or a tensor is not of the weight that the tag describes.</exception>
    public static IEnumerable<TensorEntry> Of(SafeTensorsFile file, PackedHeader header)
    {
        foreach (var (name, form) in header.Weights)
        {
            if (!file.Tensors.ContainsKey($"{name}.{TileForm.Tiles}"))
                throw new BadInputException(file.Path, name,
                    $"expected {name}.{TileForm.Tiles}, which {PackedHeader.WeightsKey} describes, found none");
            if (form.Experts > 0 && !name.Contains(Experts, StringComparison.Ordinal))
                throw new BadInputException(file.Path, name, $"expected {Experts} in the name of a stack, found none");
        }
        foreach (var entry in file.Tensors.Values)
        {
            if (entry.Name.StartsWith(PackedHeader.Filler, StringComparison.Ordinal)) continue;
            var dot = entry.Name.LastIndexOf('.');
            var suffix = entry.Name[(dot + 1)..];
            if (!TileForm.Suffixes.Contains(suffix))
            {
                yield return entry;
                continue;
            }
            if (!header.Weights.TryGetValue(entry.Name[..Math.Max(0, dot)], out var form))
                throw new BadInputException(file.Path, entry.Name, $"expected its weight in {PackedHeader.WeightsKey}, found none");
            if (form.Experts == 0) yield return entry with { Tiles = form };
            else foreach (var part in Split(entry, form, entry.Name[..dot], suffix)) yield return part;
        }
    }

    // The order of columns is the whole stack's.
    private static IEnumerable<TensorEntry> Split(TensorEntry entry, TileForm form, string name, string suffix)
    {
        var shared = suffix == TileForm.Groups;
        if (!shared && (entry.Shape.Length < 2 || entry.Shape[0] != form.Experts))
            throw new BadInputException(entry.File, entry.Name,
                $"expected [{form.Experts}, …], one a matrix of the stack, found {entry.ShapeText}");
        var at = name.LastIndexOf(Experts, StringComparison.Ordinal) + Experts.Length;
        var bytes = shared ? 0 : entry.Length / form.Experts;
        for (var e = 0; e < form.Experts; e++)
        {
            yield return entry with
            {
                Part = $"{name[..at]}{e}.{name[at..]}.{suffix}",
                Shape = shared ? entry.Shape : entry.Shape[1..],
                Offset = entry.Offset + (e * bytes),
                Length = shared ? entry.Length : bytes,
                Tiles = form,
            };
        }
    }
}
