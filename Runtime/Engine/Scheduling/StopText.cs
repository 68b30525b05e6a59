using System.Text;

namespace Quilt.Runtime.Scheduling;

/// <summary>
/// Looks for stop texts in a reply that comes in pieces, wherever the pieces are cut. Text that may be the beginning of a stop text is held back
/// until it is certain.
/// </summary>
/// <param name="stops">The texts.</param>
/// <param name="include">Whether the text that ended the reply is given out.</param>
internal sealed class StopText(IReadOnlyList<string> stops, bool include)
{
    private readonly StringBuilder held = new();

    /// <summary>The stop text that was found; null so far.</summary>
    public string? Found { get; private set; }

    /// <summary>Takes a piece; returns the text that is certain now. After a stop text nothing more comes.</summary>
    public string Push(string piece, bool mayStop = true)
    {
        if (Found is not null) return "";
        if (stops.Count == 0 || (piece.Length == 0 && held.Length == 0)) return piece;
        var text = held.Length == 0 ? piece : held.Append(piece).ToString();
        held.Clear();
        if (mayStop && Earliest(text) is (var at, { } stop))
        {
            Found = stop;
            return text[..(include ? at + stop.Length : at)];
        }
        var certain = text.Length - (mayStop ? LongestBeginning(text) : 0);
        held.Append(text, certain, text.Length - certain);
        return certain == text.Length ? text : text[..certain];
    }

    /// <summary>What was held back, once nothing more comes.</summary>
    public string Flush()
    {
        var rest = Found is null ? held.ToString() : "";
        held.Clear();
        return rest;
    }

    private (int At, string? Stop) Earliest(string text)
    {
        var (best, found) = (int.MaxValue, (string?)null);
        foreach (var stop in stops)
        {
            var at = text.IndexOf(stop, StringComparison.Ordinal);
            if (at >= 0 && at < best) (best, found) = (at, stop);
        }
        return (best, found);
    }

    /// <summary>Length of the longest end of the text that a stop text begins with.</summary>
    private int LongestBeginning(string text)
    {
        var longest = 0;
        foreach (var stop in stops)
        {
            for (var length = Math.Min(stop.Length - 1, text.Length); length > longest; length--)
            {
                if (text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length))) longest = length;
            }
        }
        return longest;
    }
}
