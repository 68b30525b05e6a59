using System.Text;
using Quilt.Quantizer.Packing;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Quantizer.Packing;

/// <summary>A small model and its packed form, to be damaged.</summary>
internal sealed class PackedTiny : IDisposable
{
    private readonly TemporaryFolder work = new();

    public PackedTiny()
    {
        TinyMiniMax.Write(Source);
        ModelPacker.Run(Source, Packed);
    }

    public string Source => work.Below("model");

    public string Packed => work.Below("packed");

    /// <summary>The packed files of weights, in the order of their names.</summary>
    public string[] Files => [.. Directory.GetFiles(Packed, "*.safetensors").Order(StringComparer.Ordinal)];

    /// <summary>Replaces a text in the header of a file by one of the same length, everywhere.</summary>
    public void Replace(int file, string text, string by)
    {
        Assert.That(by, Has.Length.EqualTo(text.Length));
        var bytes = File.ReadAllBytes(Files[file]);
        var header = bytes.AsSpan(8, (int)BitConverter.ToInt64(bytes));
        var found = false;
        for (int at; (at = header.IndexOf(Encoding.UTF8.GetBytes(text))) >= 0; found = true) Encoding.UTF8.GetBytes(by, header[at..]);
        Assert.That(found, Is.True, $"{text} is in the header");
        File.WriteAllBytes(Files[file], bytes);
    }

    public void Dispose() => work.Dispose();
}
