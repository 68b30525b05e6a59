using System.Globalization;

namespace Quilt.Cli;

/// <summary>Token ids as people write them: <c>1,2,3</c>, <c>[1, 2, 3]</c>, or several arguments.</summary>
internal static class TokenIds
{
    /// <summary>Reads ids.</summary>
    /// <exception cref="UsageException">A part is no number of at least 0.</exception>
    public static int[] Parse(string option, params IEnumerable<string> texts)
    {
        var ids = new List<int>();
        foreach (var part in texts.SelectMany(text => text.Split([',', ' ', '[', ']', '\n', '\r', '\t'], StringSplitOptions.RemoveEmptyEntries)))
        {
            ids.Add(int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id
                : throw new UsageException($"{option}: expected token ids such as 1,2,3, found '{part}'"));
        }
        return [.. ids];
    }
}
