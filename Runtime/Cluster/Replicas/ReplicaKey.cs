namespace Quilt.Cluster.Replicas;

/// <summary>The key of a replica's grain: the model's name, a bar, the silo's address. A name may have bars in it, an address has none.</summary>
internal static class ReplicaKey
{
    /// <summary>The key.</summary>
    public static string Of(string model, SiloAddress silo) => $"{model}|{silo.ToParsableString()}";

    /// <summary>Its two parts.</summary>
    /// <exception cref="FormatException">It is no such key.</exception>
    public static (string Model, SiloAddress Silo) Parse(string key)
    {
        var bar = key.LastIndexOf('|');
        return bar >= 0 ? (key[..bar], SiloAddress.FromParsableString(key[(bar + 1)..])) : throw new FormatException($"'{key}' is no replica's key.");
    }
}
