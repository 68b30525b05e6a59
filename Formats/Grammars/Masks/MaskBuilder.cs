using Quilt.Formats.Grammars.Automata;

namespace Quilt.Formats.Grammars.Masks;

/// <summary>
/// Finds the tokens that are allowed in a state by a walk of the vocabulary's tree, or of what is left of it where a slice applies. Not for several
/// threads at a time.
/// </summary>
internal sealed class MaskBuilder(Automaton automaton, GrammarVocabulary vocabulary)
{
    private readonly List<ParserState> chain = [];
    private readonly ParserState[] path = new ParserState[vocabulary.Deepest + 1];
    private readonly int[] found = new int[vocabulary.Size];
    private int count;

    /// <summary>The tokens of text that are allowed in a state whose callers may be unknown.</summary>
    /// <param name="state">The state.</param>
    /// <param name="open">Takes the nodes of trees at which a call ends whose caller is unknown: below them more may be allowed.</param>
    public TokenMask Build(ParserState state, List<OpenNode> open)
    {
        count = 0;
        foreach (var slice in vocabulary.Slices)
        {
            chain.Clear();
            chain.Add(state);
            if (!SliceChain.TryFollow(automaton, slice, chain, out var loops) || chain.Exists(link => link.IsOpen)) continue;
            for (var k = 0; k < chain.Count; k++)
                Walk(slice.Rests, 0, slice.Rests.Count, 0, chain[k], open, slice, k, k == chain.Count - 1 && loops ? int.MaxValue : k);
            if (loops) return Join(slice.All, slice.Count);
            var bits = slice.UpTo(chain.Count - 1, out var inside);
            return Join(bits, inside);
        }
        var trie = vocabulary.Trie;
        Walk(trie, 0, trie.Count, 0, state, open, null, 0, 0);
        return Join(null, 0);
    }

    /// <summary>Adds the tokens that are allowed at and below a node, in a state whose callers are known.</summary>
    public void BuildBelow(OpenNode node, ParserState state, TokenMask without, List<int> added)
    {
        count = 0;
        var trie = node.Trie;
        foreach (var token in trie.At(node.Node)) Keep(token, node.Slice, node.Least, node.Most);
        Walk(trie, node.Node + 1, trie.Skips[node.Node], trie.Depths[node.Node], state, null, node.Slice, node.Least, node.Most);
        foreach (var token in found.AsSpan(0, count))
            if (!without.Contains(token)) added.Add(token);
    }

    // The nodes from one number to another, all below one at a depth where the state is known.
    private void Walk(
        VocabularyTrie trie, int from, int to, int depth, ParserState state, List<OpenNode>? open, TokenSlice? slice, int least, int most)
    {
        var values = trie.Values;
        var depths = trie.Depths;
        var skips = trie.Skips;
        path[depth] = state;
        var openUntil = 0;
        for (var node = from; node < to;)
        {
            var level = depths[node];
            if (automaton.Step(path[level - 1], values[node]) is not { } next)
            {
                node = skips[node];
                continue;
            }
            path[level] = next;
            if (next.IsOpen && open is not null && node >= openUntil)
            {
                open.Add(new(trie, node, slice, least, most));
                openUntil = skips[node];
            }
            // A state without ways to go on is there for the sake of callers that are unknown.
            if (next.Items.Length > 0 || next.IsComplete)
                foreach (var token in trie.At(node)) Keep(token, slice, least, most);
            node++;
        }
    }

    private void Keep(int token, TokenSlice? slice, int least, int most)
    {
        if (slice is not null && slice.Characters(token) is var characters && (characters < least || characters > most)) return;
        found[count++] = token;
    }

    private TokenMask Join(uint[]? bits, int inside)
    {
        if (count <= TokenMask.ListLimit) return new TokenMask(bits, found.AsSpan(0, count).ToArray(), [], inside + count);
        var all = bits is null ? new uint[vocabulary.MaskWords] : (uint[])bits.Clone();
        foreach (var token in found.AsSpan(0, count)) all[token >> 5] |= 1u << token;
        return new TokenMask(all, [], [], inside + count);
    }
}

/// <summary>A node of a tree of tokens below which more may be allowed, and which tokens there count: those with so many characters of the slice.</summary>
internal readonly record struct OpenNode(VocabularyTrie Trie, int Node, TokenSlice? Slice, int Least, int Most);
