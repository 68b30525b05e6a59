namespace Quilt.Formats.Checkpoints.Storage;

/// <summary>What recognizes one way of storing a module.</summary>
/// <param name="Takes">The tensors that it takes, in words.</param>
/// <param name="FormatNames">What compressed-tensors calls it in <c>format</c>.</param>
/// <param name="TryRead">
/// The module; null if it is stored in another way. Throws <see cref="BadInputException"/> where its tensors do not fit.
/// </param>
internal sealed record StorageReader(string Takes, string[] FormatNames, Func<ModuleTensors, StoredModule?> TryRead);

/// <summary>
/// Every way of storing a module that is understood. The tensors decide which it is (docs/checkpoints.md, "How a module is stored"); what the config
/// says besides is a warning where it contradicts them and an error where it asks for a tensor that is not there.
/// </summary>
internal static class StorageReaders
{
    /// <summary>In the order in which they are asked.</summary>
    private static readonly StorageReader[] All =
        [TiledModule.Reader, PackedIntModule.Reader, Mxfp8Module.Reader, Fp8Module.Reader, DenseModule.Reader];

    /// <summary>Names of the formats of compressed-tensors among them.</summary>
    public static IEnumerable<string> FormatNames => All.SelectMany(reader => reader.FormatNames);

    /// <summary>How a module is stored.</summary>
    /// <exception cref="BadInputException">A tensor is missing, has another shape or type, or contradicts another.</exception>
    public static StoredModule Read(ModuleTensors module)
    {
        foreach (var reader in All)
        {
            if (reader.TryRead(module) is not { } found) continue;
            // Scales and zero points are read at once, each module's into arrays of their own.
            return found.Tensors.Skip(1).FirstOrDefault(tensor => tensor.Length > Array.MaxLength) is { } large
                ? throw ModuleTensors.Bad(large, $"expected at most {Array.MaxLength} bytes beside the codes of a weight, found {large.Length}")
                : found;
        }
        var expected = $"expected {string.Join(", or ", All.Select(reader => reader.Takes))}, the storage supported";
        throw (module.Find("weight") ?? module.Find("weight_packed")) is { } other
            ? ModuleTensors.Bad(other, $"{expected}, found {Tensors.DTypes.FileName(other.Type)} {other.ShapeText}")
            : module.Missing("weight", $"{expected}, found none of them");
    }
}
