using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using BenchmarkDotNet.Attributes;
using Microsoft.ML.Tokenizers;
using Quilt.Formats.Tokenizers.Bpe;
using Quilt.Perf.Columns;
using Tokenizer = Quilt.Formats.Tokenizers.Tokenizer;

namespace Quilt.Perf.Formats;

/// <summary>
/// A megabyte through a byte-level tokenizer of 200,000 tokens (o200k's, in the files that stand for MiniMax-M2's), and through
/// Microsoft.ML.Tokenizers with the same vocabulary and pattern. The texts are this repository's: its code, and the English of its comments. The
/// column GB/s counts bytes of text.
/// </summary>
public class TokenizerBench : IMovesBytes
{
    private const int Length = 1_000_000;
    private Tokenizer tokenizer = null!;
    private TiktokenTokenizer other = null!;
    private string text = "";

    [Params("prose", "code")]
    public string Text { get; set; } = "code";

    public long BytesMoved => Length;

    [GlobalSetup]
    public void Open()
    {
        var root = Root();
        var json = Unpack(Path.Combine(Environment.GetEnvironmentVariable("QUILT_SHARED")
            ?? Path.Combine(root, "..", "shared"), "tokenizers", "minimax_m2_standin", "tokenizer.json.gz"));
        tokenizer = Tokenizer.Read(json, "tokenizer.json");
        other = Tiktoken(json);
        text = Texts(root, comments: Text == "prose");
    }

    [Benchmark(Baseline = true)]
    public int MicrosoftML() => other.EncodeToIds(text).Count;

    [Benchmark]
    public int Quilt() => tokenizer.Encode(text).Length;

    // Its vocabulary comes as lines of base64 and rank, and a rank is an id here.
    private TiktokenTokenizer Tiktoken(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        var lines = new StringBuilder();
        foreach (var token in document.RootElement.GetProperty("model").GetProperty("vocab").EnumerateObject())
            if (ByteAlphabet.Read(token.Name) is { } bytes)
                lines.Append(Convert.ToBase64String(bytes)).Append(' ').Append(token.Value.GetInt32()).Append('\n');
        var pattern = document.RootElement.GetProperty("pre_tokenizer").GetProperty("pretokenizers")[0].GetProperty("pattern").GetProperty("Regex")
            .GetString()!;
        return TiktokenTokenizer.Create(new MemoryStream(Encoding.UTF8.GetBytes(lines.ToString())),
            new RegexPreTokenizer(new Regex(pattern, RegexOptions.Compiled), null), null);
    }

    private static string Texts(string root, bool comments)
    {
        var text = new StringBuilder();
        var files = Directory.GetFiles(root, "*.cs", SearchOption.AllDirectories).Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).ToList();
        while (text.Length < Length)
        {
            foreach (var line in files.SelectMany(File.ReadLines))
            {
                if (!comments) text.Append(line).Append('\n');
                else if (line.TrimStart() is var trimmed && trimmed.StartsWith("//", StringComparison.Ordinal))
                    text.Append(Regex.Replace(trimmed.TrimStart('/', ' '), "<[^>]*>", "")).Append(' ');
            }
        }
        return text.ToString(0, Length);
    }

    private static byte[] Unpack(string path)
    {
        using var unpacked = new MemoryStream();
        using (var gzip = new GZipStream(File.OpenRead(path), CompressionMode.Decompress)) gzip.CopyTo(unpacked);
        return unpacked.ToArray();
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Runtime.sln")))
            folder = folder.Parent ?? throw new DirectoryNotFoundException("The repository is not above the bench.");
        return folder.FullName;
    }
}
