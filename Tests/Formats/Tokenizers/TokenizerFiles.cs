using System.IO.Compression;

namespace Quilt.Tests.Formats.Tokenizers;

/// <summary>Tokenizer files of the conformance data, packed or not.</summary>
internal static class TokenizerFiles
{
    public static string Name(string? golden) => golden is null ? "none" : Path.GetFileName(golden)[..^".golden.json".Length];

    public static byte[] Bytes(string path)
    {
        var bytes = File.ReadAllBytes(path);
        if (!path.EndsWith(".gz", StringComparison.Ordinal)) return bytes;
        using var unpacked = new MemoryStream();
        using (var gzip = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress)) gzip.CopyTo(unpacked);
        return unpacked.ToArray();
    }
}
