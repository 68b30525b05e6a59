using System.Text;

namespace Quilt.Runtime.Scheduling;

/// <summary>
/// Looks for stop texts in a reply that comes in pieces. Text that may be the beginning of a stop text is held back until it is certain. Of several
/// texts that one counts which ends first, of those the longest: that does not depend on how the reply is cut.
/// </summary>
/// <param name="stops">The texts.</param>
/// <param name="include">Whether the text that ended the reply is given out.</param>
internal sealed class StopText(IReadOnlyList<string> stops, bool include)
{
    private readonly StopAutomaton? automaton = stops.Count == 0 ? null : new(stops);
    private readonly StringBuilder held = new();             // the beginning of a stop text that the automaton's state stands for
    private int state;

    /// <summary>The stop text that was found; null so far.</summary>
    public string? Found { get; private set; }

    /// <summary>Takes a piece; returns the text that is certain now. After a stop text nothing more comes.</summary>
    public string Push(string piece, bool mayStop = true)
    {
        if (Found is not null) return "";
        if (automaton is null) return piece;
        if (!mayStop) return Flush() + piece;
        var before = held.Length;
        for (var i = 0; i < piece.Length; i++)
        {
            state = automaton.Next(state, piece[i]);
            if (automaton.StopAt(state) is not { } stop) continue;
            Found = stop;
            var end = before + i + 1;
            return Text(piece, include ? end : end - stop.Length);
        }
        var text = Text(piece, before + piece.Length - automaton.Depth(state));
        held.Append(piece.AsSpan(Math.Max(0, piece.Length - automaton.Depth(state))));
        return text;
    }

    /// <summary>What was held back, once nothing more comes, or what comes cannot belong to it.</summary>
    public string Flush()
    {
        var rest = Found is null ? held.ToString() : "";
        held.Clear();
        state = 0;
        return rest;
    }

    /// <summary>
    /// The first <paramref name="length"/> characters of what was held and the piece behind it; what was held is that much shorter.
    /// </summary>
    private string Text(string piece, int length)
    {
        var fromHeld = Math.Min(length, held.Length);
        if (fromHeld == 0) return length == piece.Length ? piece : piece[..length];
        var text = string.Concat(held.ToString(0, fromHeld), piece.AsSpan(0, length - fromHeld));
        held.Remove(0, fromHeld);
        return text;
    }
}
