using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Recipes;

namespace Quilt.Quantizer.Output;

/// <summary>What a result is made of, as short texts under names: a run may go on with what another began only where all are the same.</summary>
internal sealed class Fingerprint
{
    private readonly SortedDictionary<string, string> entries = new(StringComparer.Ordinal);

    /// <summary>What there is.</summary>
    public IReadOnlyDictionary<string, string> Entries => entries;

    /// <summary>Adds what the result depends on.</summary>
    /// <param name="name">What it is, in a word or two, for the message where it differs.</param>
    /// <param name="text">It, or a digest of it.</param>
    public Fingerprint Add(string name, string text)
    {
        entries.Add(name, text);
        return this;
    }

    /// <summary>Adds the files of a checkpoint: their names, sizes and headers, and its config.</summary>
    public Fingerprint Add(Checkpoint source)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        digest.AppendData(JsonSerializer.SerializeToUtf8Bytes(source.Config.Json));
        foreach (var group in source.Tensors.GroupBy(tensor => tensor.File).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            digest.AppendData(Encoding.UTF8.GetBytes($"\n{Path.GetFileName(group.Key)} {new FileInfo(group.Key).Length}"));
            foreach (var tensor in group.OrderBy(tensor => tensor.Offset).ThenBy(tensor => tensor.Label, StringComparer.Ordinal))
                digest.AppendData(Encoding.UTF8.GetBytes($"\n{tensor.Label} {tensor.Type.FileName()} {tensor.ShapeText} {tensor.Offset}"));
        }
        return Add("source", Convert.ToHexStringLower(digest.GetHashAndReset()));
    }

    /// <summary>Adds what a recipe means; its text may change.</summary>
    public Fingerprint Add(Recipe recipe) =>
        Add("recipe", Digest(JsonSerializer.SerializeToUtf8Bytes(recipe with { Origin = "", Text = null })));

    /// <summary>A short text for long content.</summary>
    public static string Digest(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(SHA256.HashData(content));
}
