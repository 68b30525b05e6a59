using System.Text.Json;
using Quilt.Formats;

namespace Quilt.Quantizer.Calibration;

/// <summary>A file with one JSON array of objects. The array is gone through as it is read, not held.</summary>
internal static class JsonArrayRows
{
    private static readonly JsonSerializerOptions Options = new() { MaxDepth = PythonJson.MaxDepth };

    /// <param name="path">The file.</param>
    /// <param name="before">Rows before this file, for messages.</param>
    /// <exception cref="BadInputException">It is damaged, or an element is not an object.</exception>
    public static IEnumerable<JsonElement> Read(string path, long before)
    {
        using var file = File.OpenRead(path);
        var elements = JsonSerializer.DeserializeAsyncEnumerable<JsonElement>(file, Options).GetAsyncEnumerator();
        try
        {
            for (var row = before + 1; Next(elements, path, row); row++)
                yield return JsonLines.Parse(JsonSerializer.SerializeToUtf8Bytes(elements.Current), path, row);
        }
        finally
        {
            elements.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private static bool Next(IAsyncEnumerator<JsonElement> elements, string path, long row)
    {
        try
        {
            return elements.MoveNextAsync().AsTask().GetAwaiter().GetResult();
        }
        catch (JsonException e)
        {
            throw new BadInputException(FormattableString.Invariant($"{path}: row {row}"), null, $"expected a JSON object: {e.Message}", e);
        }
    }
}
