using Quilt.Formats.Grammars;

namespace Quilt.Tests.Formats.Grammars;

/// <summary>A grammar byte by byte, without a vocabulary.</summary>
internal static class ByteMatch
{
    /// <summary>How many bytes were taken before one that is not allowed, and whether all were and the text is complete.</summary>
    public static (int Taken, bool IsComplete) Run(Grammar grammar, ReadOnlySpan<byte> text)
    {
        var state = grammar.Automaton.Start;
        for (var i = 0; i < text.Length; i++)
        {
            if (grammar.Automaton.Step(state, text[i]) is not { } next) return (i, false);
            state = next;
        }
        return (text.Length, state.IsComplete);
    }

    /// <summary>Holds a grammar to a case's texts: what is complete, and what can still be completed.</summary>
    public static void Check(Grammar grammar, System.Text.Json.JsonElement texts)
    {
        Assert.Multiple(() =>
        {
            foreach (var one in texts.EnumerateArray())
            {
                var text = StructuredCases.Bytes(one, "text", "hex");
                var (taken, complete) = Run(grammar, text);
                var shown = one.GetRawText();
                if (StructuredCases.Flag(one, "expected") is { } expected) Assert.That(complete, Is.EqualTo(expected), shown);
                if (StructuredCases.Flag(one, "expected_prefix") is { } prefix) Assert.That(taken == text.Length, Is.EqualTo(prefix), shown);
            }
        });
    }
}
