using System.Globalization;

namespace Quilt.Formats.Tokenizers.Unicode;

/// <summary>Reads the embedded tables: one entry a line, fields split by blanks, numbers in hexadecimal, lines with '#' left out.</summary>
internal static class UnicodeResource
{
    /// <summary>The fields of every line of a table.</summary>
    public static IEnumerable<string[]> Lines(string name)
    {
        using var stream = typeof(UnicodeResource).Assembly.GetManifestResourceStream($"Quilt.Formats.Tokenizers.Unicode.{name}.txt")!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
            if (line.Length > 0 && line[0] != '#') yield return line.Split(' ');
    }

    public static int Hex(string text) =>
        text[0] == '-' ? -Hex(text[1..]) : int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <summary>"first-last", or one code point.</summary>
    public static (int First, int Last) Range(string text)
    {
        var range = text.Split('-');
        return (Hex(range[0]), Hex(range[^1]));
    }

    /// <summary>Sets by name, from a table whose lines are a name and ranges; a name may have several lines.</summary>
    public static Dictionary<string, CodePointSet> Sets(string table)
    {
        var ranges = new Dictionary<string, List<(int, int)>>();
        foreach (var fields in Lines(table))
        {
            var name = fields[0].ToLowerInvariant();
            if (!ranges.TryGetValue(name, out var its)) ranges[name] = its = [];
            its.AddRange(fields.Skip(1).Select(Range));
        }
        return ranges.ToDictionary(entry => entry.Key, entry => CodePointSet.Of(entry.Value));
    }

    /// <summary>A mapping of single code points from lines "L first-last step delta"; what it leaves alone is not in it.</summary>
    public static Dictionary<int, int> Mapping(string table)
    {
        var mapping = new Dictionary<int, int>();
        foreach (var fields in Lines(table).Where(fields => fields[0] == "L"))
        {
            var (first, last) = Range(fields[1]);
            for (var c = first; c <= last; c += Hex(fields[2])) mapping[c] = c + Hex(fields[3]);
        }
        return mapping;
    }
}
