using System.Text.Json;
using Quilt.Formats;

namespace Quilt.Quantizer.Calibration;

/// <summary>A file with one JSON object a line.</summary>
internal static class JsonLines
{
    private const int Chunk = 1 << 16;
    private const int MaxLine = 256 << 20;

    /// <summary>The objects; empty lines are none.</summary>
    /// <param name="path">The file.</param>
    /// <param name="before">Rows before this file, for messages.</param>
    /// <exception cref="BadInputException">A line is not an object, or too long.</exception>
    public static IEnumerable<JsonElement> Read(string path, long before)
    {
        using var file = File.OpenRead(path);
        var row = before;
        foreach (var line in Lines(file, path))
        {
            if (line.Span.IndexOfAnyExcept(" \t\r"u8) < 0) continue;
            yield return Parse(line, path, ++row);
        }
    }

    /// <summary>One row, as Python's json reads it: NaN is a number there.</summary>
    public static JsonElement Parse(ReadOnlyMemory<byte> text, string path, long row)
    {
        var source = FormattableString.Invariant($"{path}: row {row}");
        try
        {
            return JsonText.ParseObject(PythonJson.ToJson(text.ToArray()), source, PythonJson.MaxDepth);
        }
        catch (JsonException e)
        {
            throw new BadInputException(source, null, $"expected a JSON object: {e.Message}", e);
        }
    }

    // Each line without its end; it is good until the next one is asked for.
    private static IEnumerable<ReadOnlyMemory<byte>> Lines(FileStream file, string path)
    {
        var buffer = new byte[Chunk];
        var (start, end, seen) = (0, 0, 0);          // the unread part, and how much of it has no line end
        var isFirst = true;
        while (true)
        {
            var at = buffer.AsSpan(start + seen, end - start - seen).IndexOf((byte)'\n');
            if (at >= 0)
            {
                var length = seen + at;
                yield return Without(buffer.AsMemory(start, length), ref isFirst);
                (start, seen) = (start + length + 1, 0);
                continue;
            }
            seen = end - start;
            if (start > 0) buffer.AsSpan(start, seen).CopyTo(buffer);
            (start, end) = (0, seen);
            if (end == buffer.Length)
            {
                if (end >= MaxLine) throw new BadInputException(path, null, $"expected lines of at most {MaxLine} bytes, found a longer one");
                Array.Resize(ref buffer, end * 2);
            }
            var got = file.Read(buffer, end, buffer.Length - end);
            end += got;
            if (got > 0) continue;
            if (seen > 0) yield return Without(buffer.AsMemory(0, seen), ref isFirst);
            yield break;
        }
    }

    // The first line may begin with a byte order mark.
    private static ReadOnlyMemory<byte> Without(ReadOnlyMemory<byte> line, ref bool isFirst)
    {
        var marked = isFirst && line.Span.StartsWith("\uFEFF"u8);
        isFirst = false;
        return marked ? line[3..] : line;
    }
}
