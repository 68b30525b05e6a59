using System.Text;
using System.Text.Json;

namespace Quilt.Tests.Quantizer.Calibration;

/// <summary>A temporary folder with datasets, deleted at the end.</summary>
internal sealed class DataFolder : IDisposable
{
    public DataFolder() => Directory.CreateDirectory(Path);

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"quilt-data-{Guid.NewGuid():N}");

    /// <summary>Rows by <c>dataset|subset|split</c>, or <c>dataset|split</c>.</summary>
    public static DataFolder Of(JsonElement rows)
    {
        var folder = new DataFolder();
        foreach (var split in rows.EnumerateObject())
        {
            var lines = split.Value.EnumerateArray().Select(row => $"{JsonSerializer.Serialize(row)}\n");
            folder.Write($"{split.Name.Replace('|', '/')}.jsonl", string.Concat(lines));
        }
        return folder;
    }

    /// <summary>A file with its folders.</summary>
    public string Write(string name, string text)
    {
        var path = Place(name);
        File.WriteAllText(path, text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        return path;
    }

    /// <summary>Where a file goes; its folders are made.</summary>
    public string Place(string name)
    {
        var path = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
