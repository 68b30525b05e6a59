using System.Text.Json;
using Quilt.Formats;

namespace Quilt.Quantizer.Calibration;

/// <summary>The rows of one file, read as they are asked for.</summary>
internal static class RowFile
{
    /// <param name="path">A file of JSON lines, a JSON array or a Parquet file.</param>
    /// <param name="before">Rows of the split in files before this one, for messages.</param>
    /// <param name="cancel">Ends the reading.</param>
    /// <exception cref="BadInputException">The file is damaged, or holds something else than rows.</exception>
    public static IEnumerable<JsonElement> Read(string path, long before, CancellationToken cancel) => Path.GetExtension(path) switch
    {
        ".parquet" => ParquetRows.Read(path, cancel),
        ".json" when StartsWithBracket(path) => JsonArrayRows.Read(path, before),
        _ => JsonLines.Read(path, before),
    };

    private static bool StartsWithBracket(string path)
    {
        using var file = File.OpenRead(path);
        int b;
        do b = file.ReadByte();
        while (b is ' ' or '\t' or '\r' or '\n' or 0xEF or 0xBB or 0xBF);
        return b == '[';
    }
}
