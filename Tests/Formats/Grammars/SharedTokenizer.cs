using System.IO.Compression;
using Quilt.Formats.Tokenizers;

namespace Quilt.Tests.Formats.Grammars;

/// <summary>Tokenizers of ../shared/tokenizers, which are compressed there.</summary>
internal static class SharedTokenizer
{
    public static Tokenizer Open(string name)
    {
        using var packed = new GZipStream(File.OpenRead(Shared.Path("tokenizers", name, "tokenizer.json.gz")), CompressionMode.Decompress);
        using var json = new MemoryStream();
        packed.CopyTo(json);
        return Tokenizer.Read(json.ToArray(), name);
    }
}
