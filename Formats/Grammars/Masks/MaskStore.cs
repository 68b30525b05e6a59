using Quilt.Formats.Grammars.Automata;

namespace Quilt.Formats.Grammars.Masks;

/// <summary>The tokens that a grammar allows in each state, found when first asked for and remembered within bounds. Safe to use from several threads.</summary>
internal sealed class MaskStore
{
    private const long MaxSize = 48L << 20;
    private const int ListLimit = 512;
    private readonly Lock gate = new();
    private readonly Dictionary<ParserState, TokenMask> known = new(ReferenceEqualityComparer.Instance);
    private readonly Automaton automaton;
    private readonly GrammarVocabulary vocabulary;
    private readonly int[] specialIds;
    private readonly uint[] bits;
    private readonly ParserState[] path;

    public MaskStore(Automaton automaton, GrammarVocabulary vocabulary, int[] specialIds)
    {
        (this.automaton, this.vocabulary, this.specialIds) = (automaton, vocabulary, specialIds);
        bits = new uint[vocabulary.MaskWords];
        path = new ParserState[vocabulary.Trie.Deepest + 1];
    }

    /// <summary>How much memory the masks take, in bytes.</summary>
    public long Size { get; private set; }

    /// <summary>The tokens that are allowed in a state, end tokens aside.</summary>
    public TokenMask Find(ParserState state)
    {
        lock (gate)
        {
            if (known.TryGetValue(state, out var mask)) return mask;
            mask = Build(state);
            if (Size > MaxSize)
            {
                known.Clear();
                Size = 0;
            }
            known[state] = mask;
            Size += mask.Size;
            return mask;
        }
    }

    private TokenMask Build(ParserState state)
    {
        Array.Clear(bits);
        var trie = vocabulary.Trie;
        var values = trie.Values;
        var depths = trie.Depths;
        var skips = trie.Skips;
        path[0] = state;
        for (var node = 0; node < values.Length;)
        {
            var depth = depths[node];
            if (automaton.Step(path[depth - 1], values[node]) is not { } next)
            {
                node = skips[node];
                continue;
            }
            path[depth] = next;
            foreach (var token in trie.At(node)) bits[token >> 5] |= 1u << token;
            node++;
        }
        for (var i = 0; i < specialIds.Length; i++)
            if (automaton.StepSpecial(state, i) is not null) bits[specialIds[i] >> 5] |= 1u << specialIds[i];
        return TokenMask.Of(bits, ListLimit);
    }
}
