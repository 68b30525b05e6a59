using Quilt.Formats.Grammars.Automata;
using Quilt.Formats.Grammars.Masks;

namespace Quilt.Formats.Grammars;

/// <summary>A grammar for one vocabulary, with what was found out so far about the tokens that it allows. Safe to use from several threads.</summary>
public sealed class CompiledGrammar
{
    private readonly int[] specialIds;

    /// <summary>Puts a grammar and a vocabulary together.</summary>
    /// <exception cref="BadInputException">The grammar asks for a special token that the vocabulary does not have.</exception>
    public CompiledGrammar(Grammar grammar, GrammarVocabulary vocabulary)
    {
        ArgumentNullException.ThrowIfNull(grammar);
        ArgumentNullException.ThrowIfNull(vocabulary);
        (Grammar, Vocabulary) = (grammar, vocabulary);
        var specials = grammar.Automaton.Specials;
        specialIds = new int[specials.Length];
        for (var i = 0; i < specials.Length; i++)
        {
            specialIds[i] = vocabulary.FindSpecial(specials[i]);
            if (specialIds[i] < 0) throw new BadInputException("grammar", specials[i], "the tokenizer has no such token");
        }
        Masks = new MaskStore(grammar.Automaton, vocabulary, specialIds);
    }

    /// <summary>The grammar.</summary>
    public Grammar Grammar { get; }

    /// <summary>The vocabulary.</summary>
    public GrammarVocabulary Vocabulary { get; }

    /// <summary>Roughly how much memory it takes, in bytes, at most: masks that are remembered are bounded.</summary>
    public long Size => Grammar.Size + Masks.Size;

    internal MaskStore Masks { get; }

    /// <summary>A matcher for one reply.</summary>
    public GrammarMatcher Match() => new(this);

    /// <summary>The number of a token among the grammar's special ones, or -1.</summary>
    internal int SpecialNumber(int token) => Array.IndexOf(specialIds, token);

    internal ParserState? Step(ParserState state, int token)
    {
        var automaton = Grammar.Automaton;
        if (specialIds.Length > 0 && SpecialNumber(token) is >= 0 and var number && automaton.StepSpecial(state, number) is { } behind) return behind;
        if (!Vocabulary.IsText(token)) return null;
        var now = state;
        foreach (var value in Vocabulary.Bytes(token))
        {
            if (automaton.Step(now, value) is not { } next) return null;
            now = next;
        }
        return now;
    }
}
