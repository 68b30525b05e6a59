using Quilt.Formats.Grammars.Automata;

namespace Quilt.Formats.Grammars.Masks;

/// <summary>Finds the states that some characters of a slice lead to, where it does not matter which.</summary>
internal static class SliceChain
{
    // Ranges of first bytes of characters of several bytes, with the range that the second byte may have.
    private static readonly (byte First, byte Last, byte Low, byte High, int Length)[] Leads =
    [
        (0xC2, 0xDF, 0x80, 0xBF, 2), (0xE0, 0xE0, 0xA0, 0xBF, 3), (0xE1, 0xEC, 0x80, 0xBF, 3), (0xED, 0xED, 0x80, 0x9F, 3),
        (0xEE, 0xEF, 0x80, 0xBF, 3), (0xF0, 0xF0, 0x90, 0xBF, 4), (0xF1, 0xF3, 0x80, 0xBF, 4), (0xF4, 0xF4, 0x80, 0x8F, 4),
    ];

    /// <summary>Adds the states behind 0, 1, 2, … characters of a slice, until they repeat or no such character can come.</summary>
    /// <param name="automaton">The automaton.</param>
    /// <param name="slice">The slice.</param>
    /// <param name="states">Begins with the state to start from.</param>
    /// <param name="loops">Whether the last state is the one behind all further characters too.</param>
    /// <returns>False where it matters which character comes.</returns>
    public static bool TryFollow(Automaton automaton, TokenSlice slice, List<ParserState> states, out bool loops)
    {
        loops = false;
        while (states.Count <= TokenSlice.MostCounted)
        {
            var last = states[^1];
            var (low, high) = slice.Ascii;
            var steps = last.Steps ?? automaton.Expand(last);
            var live = steps.Live;
            if ((live[0] & low) == 0 && (live[1] & high) == 0 && (live[3] == 0 || !slice.HasOthers)) return states.Count > 1;
            if ((live[0] & low) != low || (live[1] & high) != high || Next(automaton, slice, last) is not { } next) return false;
            if (next == last)
            {
                loops = true;
                return true;
            }
            states.Add(next);
        }
        return false;
    }

    private static ParserState? Next(Automaton automaton, TokenSlice slice, ParserState state)
    {
        ParserState? common = null;
        var (low, high) = slice.Ascii;
        var classes = automaton.Classes.Of;
        var before = -1;
        for (var value = 0; value < 128; value++)
        {
            if (((value < 64 ? low : high) >> (value & 63) & 1) == 0 || classes[value] == before) continue;
            before = classes[value];
            var next = automaton.Step(state, (byte)value);
            if (next is null || next != (common ??= next)) return null;
        }
        if (!slice.HasOthers) return common;
        foreach (var (first, last, least, most, length) in Leads)
        {
            ParserState? known = null;
            for (int value = first; value <= last; value = automaton.Classes.LastLike((byte)value) + 1)
            {
                var next = automaton.Step(state, (byte)value);
                if (next is null) return null;
                if (next == known) continue;
                if (!Ends(automaton, next, least, most, length - 1, common!)) return null;
                known = next;
            }
        }
        return common;
    }

    // Whether all further bytes of a character lead to one state.
    private static bool Ends(Automaton automaton, ParserState state, byte least, byte most, int length, ParserState common)
    {
        ParserState? before = null;
        for (int value = least; value <= most; value = automaton.Classes.LastLike((byte)value) + 1)
        {
            var next = automaton.Step(state, (byte)value);
            if (next is null) return false;
            if (next == before) continue;
            if (length == 1 ? next != common : !Ends(automaton, next, 0x80, 0xBF, length - 1, common)) return false;
            before = next;
        }
        return true;
    }
}
