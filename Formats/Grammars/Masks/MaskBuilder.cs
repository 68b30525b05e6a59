using Quilt.Formats.Grammars.Automata;

namespace Quilt.Formats.Grammars.Masks;

/// <summary>
/// Finds the tokens that are allowed in a state by a walk of the vocabulary's tree, or of what is left of it where a slice applies. Not for several
/// threads at a time.
/// </summary>
internal sealed class MaskBuilder(Automaton automaton, GrammarVocabulary vocabulary)
{
    private readonly List<ParserState> chain = [];
    private readonly Level[] path = new Level[vocabulary.Deepest + 1];
    private readonly int[] found = new int[vocabulary.Size];
    private int count;

    /// <summary>The tokens of text that are allowed in a state whose callers may be unknown.</summary>
    /// <param name="state">The state.</param>
    /// <param name="open">Takes the nodes of trees at which a call ends whose caller is unknown: below them more may be allowed.</param>
    /// <param name="rests">Where any amount of white space may come first and changes nothing: how many tokens are not it alone; they are listed
    /// first. -1 otherwise.</param>
    public TokenMask Build(ParserState state, List<OpenNode> open, out int rests)
    {
        count = 0;
        rests = -1;
        foreach (var slice in vocabulary.Slices)
        {
            chain.Clear();
            chain.Add(state);
            if (!SliceChain.TryFollow(automaton, slice, chain, out var loops) || chain.Exists(link => link.IsOpen)) continue;
            for (var k = 0; k < chain.Count; k++)
                Walk(slice.Rests, 0, chain[k], open, slice, k, k == chain.Count - 1 && loops ? int.MaxValue : k);
            if (slice == vocabulary.Space)
            {
                if (loops && chain.Count == 1) rests = count;
                var alone = slice.Inside(loops ? int.MaxValue : chain.Count - 1);
                alone.CopyTo(found.AsSpan(count));
                count += alone.Length;
                var mask = Join(null, 0);
                if (!mask.IsShort) rests = -1;
                return mask;
            }
            if (loops) return Join(slice.All, slice.Count);
            var bits = slice.UpTo(chain.Count - 1, out var inside);
            return Join(bits, inside);
        }
        var trie = vocabulary.Trie;
        Walk(trie, 0, state, open, null, 0, 0);
        return Join(null, 0);
    }

    /// <summary>Adds the tokens that are allowed at and below a node, in a state whose callers are known.</summary>
    public void BuildBelow(OpenNode node, ParserState state, TokenMask without, List<int> added)
    {
        count = 0;
        var trie = node.Trie;
        foreach (var token in trie.At(node.Node)) Keep(token, node.Slice, node.Least, node.Most);
        Walk(trie, node.Node, state, null, node.Slice, node.Least, node.Most);
        foreach (var token in found.AsSpan(0, count))
            if (!without.Contains(token)) added.Add(token);
    }

    // The tokens below a node, in a state.
    private void Walk(VocabularyTrie trie, int top, ParserState state, List<OpenNode>? open, TokenSlice? slice, int least, int most)
    {
        var values = trie.Values;
        var children = trie.Children;
        var depth = 0;
        var openDepth = int.MaxValue;
        path[0] = new(state.Steps ?? automaton.Expand(state), children[top], children[top + 1]);
        while (depth >= 0)
        {
            ref var level = ref path[depth];
            if (level.Next == level.End)
            {
                depth--;
                if (depth <= openDepth) openDepth = int.MaxValue;
                continue;
            }
            var node = level.Next++;
            if (!level.Steps.Allows(values[node])) continue;
            var next = automaton.StepAllowed(level.Steps, values[node]);
            if (next.IsOpen && open is not null && openDepth == int.MaxValue)
            {
                open.Add(new(trie, node, slice, least, most));
                openDepth = depth;
            }
            foreach (var token in trie.At(node)) Keep(token, slice, least, most);
            if (children[node] < children[node + 1] && next.Items.Length > 0)
                path[++depth] = new(next.Steps ?? automaton.Expand(next), children[node], children[node + 1]);
            else if (openDepth == depth) openDepth = int.MaxValue;
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

    private record struct Level(StateSteps Steps, int Next, int End);
}

/// <summary>
/// A node of a tree of tokens below which more may be allowed, and which tokens there count: those with so many characters of the slice.
/// </summary>
internal readonly record struct OpenNode(VocabularyTrie Trie, int Node, TokenSlice? Slice, int Least, int Most);
