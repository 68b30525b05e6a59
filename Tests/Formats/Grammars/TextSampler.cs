using System.Text;
using Quilt.Formats.Grammars;
using Quilt.Formats.Grammars.Automata;

namespace Quilt.Tests.Formats.Grammars;

/// <summary>Texts of a grammar at random: a byte after another among those that are allowed, with a liking for those that end things.</summary>
internal static class TextSampler
{
    private const int Usual = 400, Most = 4000;

    /// <summary>A complete text, or null where chance led into one that does not end.</summary>
    /// <param name="grammar">The grammar.</param>
    /// <param name="random">Chance.</param>
    /// <param name="ends">Texts that end what chance alone would seldom end; tried now and then.</param>
    public static string? Sample(Grammar grammar, Random random, params string[] ends)
    {
        var automaton = grammar.Automaton;
        var state = automaton.Start;
        var bytes = new List<byte>();
        var allowed = new List<byte>();
        while (bytes.Count < Most)
        {
            var steps = state.Steps ?? automaton.Expand(state);
            allowed.Clear();
            if (ends.Length > 0 && random.Next(bytes.Count > Usual ? 2 : 12) == 0
                && Follow(automaton, state, ends[random.Next(ends.Length)]) is { } behind)
            {
                state = behind.State;
                bytes.AddRange(behind.Text);
                continue;
            }
            for (var value = 0; value < 256; value++)
            {
                if (steps.Allows((byte)value)) allowed.Add((byte)value);
            }
            if (state.IsComplete && (allowed.Count == 0 || random.Next(4) == 0 || bytes.Count > Usual)) return Encoding.UTF8.GetString([.. bytes]);
            if (allowed.Count == 0) throw new InvalidOperationException("a state that is alive has nothing that is allowed");
            var next = Choose(allowed, random, bytes.Count > Usual);
            state = automaton.Step(state, next) ?? throw new InvalidOperationException("what is allowed is not taken");
            bytes.Add(next);
        }
        return null;
    }

    private static (ParserState State, byte[] Text)? Follow(Automaton automaton, ParserState state, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        foreach (var value in bytes)
        {
            if (automaton.Step(state, value) is not { } next) return null;
            state = next;
        }
        return (state, bytes);
    }

    private static byte Choose(List<byte> allowed, Random random, bool ends)
    {
        var likes = allowed.FindAll(value => "\"]}</>".Contains((char)value));
        if (likes.Count > 0 && (ends || random.Next(4) == 0)) return likes[random.Next(likes.Count)];
        var plain = allowed.FindAll(value => value is >= 0x20 and < 0x7F);
        return plain.Count > 0 && random.Next(8) > 0 ? plain[random.Next(plain.Count)] : allowed[random.Next(allowed.Count)];
    }
}
