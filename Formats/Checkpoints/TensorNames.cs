using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints;

/// <summary>
/// From the names different tools give the tensors of one architecture to the official ones (specification: checkpoints.md 2.2, 3.1, 5.5).
/// MiniMax: <c>mlp</c> = <c>block_sparse_moe</c>; <c>gate_proj, down_proj, up_proj</c> of an expert = <c>w1, w2, w3</c>; experts may be fused into
/// tensors of three dimensions.
/// </summary>
internal static class TensorNames
{
    private const string Layers = "model.layers.";

    /// <summary>The official name of a tensor, or of a module path.</summary>
    public static string Official(string modelType, string name)
    {
        if (modelType != "minimax_m2" || !name.StartsWith(Layers, StringComparison.Ordinal)) return name;
        // A checkpoint has a hundred thousand names, and nearly all of them are official.
        if (!name.Contains(".mlp.", StringComparison.Ordinal) && !name.Contains(".gate.e_", StringComparison.Ordinal)
            && !name.Contains("_proj", StringComparison.Ordinal)) return name;
        var parts = name.Split('.');
        if (parts.Length < 4) return name;
        if (parts[3] == "mlp") parts[3] = "block_sparse_moe";
        if (parts[3] != "block_sparse_moe") return name;
        if (parts.Length >= 6 && parts[4] == "gate" && parts[5] == "e_score_correction_bias") parts = [.. parts[..4], .. parts[5..]];
        if (parts.Length >= 7 && parts[4] == "experts")
        {
            parts[6] = parts[6] switch { "gate_proj" => "w1", "down_proj" => "w2", "up_proj" => "w3", var other => other };
        }
        return string.Join('.', parts);
    }

    /// <summary>Every name a module may go by in a quantization config, the official one first.</summary>
    public static IEnumerable<string> Spellings(string modelType, string module)
    {
        yield return module;
        if (modelType != "minimax_m2" || !module.Contains(".block_sparse_moe.", StringComparison.Ordinal)) yield break;
        var dot = module.LastIndexOf('.');
        var projection = module[(dot + 1)..] switch { "w1" => "gate_proj", "w2" => "down_proj", "w3" => "up_proj", _ => null };
        var other = projection is null ? null : module[..(dot + 1)] + projection;
        if (other is not null) yield return other;
        yield return module.Replace(".block_sparse_moe.", ".mlp.", StringComparison.Ordinal);
        if (other is not null) yield return other.Replace(".block_sparse_moe.", ".mlp.", StringComparison.Ordinal);
    }

    /// <summary>The layer a tensor belongs to; −1 if none.</summary>
    public static int Layer(string name)
    {
        if (!name.StartsWith(Layers, StringComparison.Ordinal)) return -1;
        var rest = name.AsSpan(Layers.Length);
        var dot = rest.IndexOf('.');
        return dot > 0 && int.TryParse(rest[..dot], System.Globalization.NumberStyles.None, null, out var layer) ? layer : -1;
    }

    /// <summary>Whether <see cref="Unfused"/> might cut a tensor: a look at its shape, for checkpoints of a hundred thousand.</summary>
    public static bool MayBeFused(string modelType, TensorEntry entry) =>
        entry.Shape.Length == 3 || (modelType == "gpt_oss" && entry.Shape.Length == 2);

    /// <summary>
    /// Cuts a fused expert tensor into one entry an expert: gate_up_proj [experts, 2 · inner, model] into w1 (first half of the rows) and w3,
    /// down_proj [experts, model, inner] into w2. gpt-oss stacks them otherwise (<see cref="StackedExperts"/>). Any other tensor comes back as it is.
    /// </summary>
    public static IEnumerable<TensorEntry> Unfused(string modelType, TensorEntry entry) => modelType switch
    {
        "minimax_m2" => UnfusedRows(entry),
        "gpt_oss" => StackedExperts.Split(entry) ?? [entry],
        _ => [entry],
    };

    private static IEnumerable<TensorEntry> UnfusedRows(TensorEntry entry)
    {
        var name = entry.Name.EndsWith(".weight", StringComparison.Ordinal) ? entry.Name[..^".weight".Length] : entry.Name;
        var gateUp = name.EndsWith(".experts.gate_up_proj", StringComparison.Ordinal);
        if (entry.Shape.Length != 3 || !(gateUp || name.EndsWith(".experts.down_proj", StringComparison.Ordinal)))
        {
            yield return entry;
            yield break;
        }
        if (entry.Type is not (DType.BF16 or DType.F16 or DType.F32))
            throw new BadInputException(entry.File, entry.Name, $"fused experts of type {entry.Type.FileName()} are not supported");
        var (experts, rows, columns) = (entry.Shape[0], entry.Shape[1], entry.Shape[2]);
        if (experts is 0 or > 65536 || (gateUp && rows % 2 != 0))
            throw new BadInputException(entry.File, entry.Name,
                $"expected [experts, {(gateUp ? "2 * " : "")}rows, columns], found {entry.ShapeText}");
        var stem = name[..(name.LastIndexOf('.') + 1)];
        string[] matrices = gateUp ? ["w1", "w3"] : ["w2"];
        var bytes = entry.Length / experts / matrices.Length;
        for (var e = 0; e < experts; e++)
        {
            for (var m = 0; m < matrices.Length; m++)
            {
                yield return entry with
                {
                    Name = $"{stem}{e}.{matrices[m]}.weight",
                    Shape = [rows / matrices.Length, columns],
                    Offset = entry.Offset + (((e * matrices.Length) + m) * bytes),
                    Length = bytes,
                };
            }
        }
    }
}
