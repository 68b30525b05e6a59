using System.Numerics;
using Quilt.Formats.Grammars.Automata;

namespace Quilt.Formats.Grammars.Masks;

/// <summary>
/// Finds the tokens that are allowed in a state by a walk of the vocabulary's tree, or of what is left of it where a slice applies. Not for several
/// threads at a time.
/// </summary>
internal sealed class MaskBuilder(Automaton automaton, GrammarVocabulary vocabulary)
{
    private const int LeastWide = 20_000;
    private const int MostWide = 4;
    private const int LeastLive = 64;
    private const int MostRests = 8192;
    private readonly List<ParserState> chain = [];
    private readonly List<(ParserState State, TokenMask Mask)> wide = [];
    private readonly List<OpenNode> below = [];
    private readonly Level[] path = new Level[vocabulary.Deepest + 1];
    private readonly int[] found = new int[vocabulary.Size];
    private int count;

    /// <summary>The tokens of text that are allowed in a state whose callers may be unknown.</summary>
    /// <param name="state">The state.</param>
    /// <param name="open">Takes the nodes of trees at which a call ends whose caller is unknown: below them more may be allowed.</param>
    /// <param name="alone">The slice whose characters may come first and change nothing, where there is one.</param>
    /// <param name="rests">The tokens then that are not of its characters alone.</param>
    public TokenMask Build(ParserState state, List<OpenNode> open, out TokenSlice? alone, out int[] rests)
    {
        count = 0;
        alone = null;
        rests = [];
        var steps = state.Steps ?? automaton.Expand(state);
        foreach (var slice in vocabulary.Slices)
        {
            if (slice == vocabulary.Space && IsWide(steps) && BuildLike(state, steps) is { } alike) return alike;
            count = 0;
            chain.Clear();
            chain.Add(state);
            if (!SliceChain.TryFollow(automaton, slice, chain, out var loops) || chain.Exists(link => link.IsOpen)) continue;
            for (var k = 0; k < chain.Count; k++)
                Walk(slice.Rests, 0, chain[k], open, slice, k, k == chain.Count - 1 && loops ? int.MaxValue : k);
            if (loops && chain.Count == 1 && count <= MostRests)
                (alone, rests) = (slice, found.AsSpan(0, count).ToArray());
            var most = loops ? int.MaxValue : chain.Count - 1;
            TokenMask mask;
            if (slice == vocabulary.Space)
            {
                slice.Inside(most).CopyTo(found.AsSpan(count));
                count += slice.Inside(most).Length;
                mask = Join(null, 0);
            }
            else mask = Join(slice.UpTo(most, out var inside), inside);
            Note(state, mask, open);
            return mask;
        }
        Walk(vocabulary.Trie, 0, state, open, null, 0, 0);
        var whole = Join(null, 0);
        Note(state, whole, open);
        return whole;
    }

    private static bool IsWide(StateSteps steps) => steps.Live.Sum(BitOperations.PopCount) > LeastLive;

    // A state that does most bytes the same as one with many tokens has the same tokens but for those that begin with the other bytes.
    private TokenMask? BuildLike(ParserState state, StateSteps steps)
    {
        var trie = vocabulary.Trie;
        var top = trie.Nodes[0];
        if (state.IsOpen) return null;
        foreach (var (other, known) in wide)
        {
            var like = other.Steps ?? automaton.Expand(other);
            var (same, all) = (0, 0);
            for (var node = top.First; node < top.End; node++)
            {
                var size = trie.From(node).Length;
                if (steps.Allows(trie.Values[node])) all += size;
                if (Next(steps, trie.Values[node]) is { } next && next == Next(like, trie.Values[node])) same += size;
            }
            if (same < LeastWide || same < all / 2) continue;
            var bits = new uint[vocabulary.MaskWords];
            known.Fill(bits);
            var left = known.Count;
            below.Clear();
            for (var node = top.First; node < top.End; node++)
            {
                var next = Next(steps, trie.Values[node]);
                if (next == Next(like, trie.Values[node])) continue;
                foreach (var token in trie.From(node))
                {
                    if ((bits[token >> 5] >> token & 1) == 0) continue;
                    bits[token >> 5] &= ~(1u << token);
                    left--;
                }
                if (next is null) continue;
                foreach (var token in trie.At(node)) Keep(token, null, 0, 0);
                if (next.IsOpen) return null;
                Walk(trie, node, next, below, null, 0, 0);
                if (below.Count > 0) return null;
            }
            foreach (var token in found.AsSpan(0, count)) bits[token >> 5] |= 1u << token;
            return new TokenMask(bits, [], [], left + count);
        }
        return null;
    }

    private ParserState? Next(StateSteps steps, byte value) => steps.Allows(value) ? automaton.StepAllowed(steps, value) : null;

    private void Note(ParserState state, TokenMask mask, List<OpenNode> open)
    {
        if (mask.Count < LeastWide || open.Count > 0 || state.IsOpen) return;
        if (wide.Count == MostWide) wide.RemoveAt(0);
        wide.Add((state, mask));
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
        var nodes = trie.Nodes;
        var depth = 0;
        var openDepth = int.MaxValue;
        path[0] = new(Steps(state, trie.Heights[top]), nodes[top].First, nodes[top].End);
        while (depth >= 0)
        {
            ref var level = ref path[depth];
            if (level.Next == level.End)
            {
                depth--;
                if (depth <= openDepth) openDepth = int.MaxValue;
                continue;
            }
            var at = level.Next++;
            if (!level.Steps.Allows(values[at])) continue;
            var next = automaton.StepAllowed(level.Steps, values[at]);
            if (next.IsOpen && open is not null && openDepth == int.MaxValue)
            {
                open.Add(new(trie, at, slice, least, most));
                openDepth = depth;
            }
            ref readonly var node = ref nodes[at];
            if (node.Tokens < node.TokensEnd)
                foreach (var token in trie.At(at)) Keep(token, slice, least, most);
            if (node.First < node.End && next.Items.Length > 0) path[++depth] = new(Steps(next, trie.Heights[at]), node.First, node.End);
            else if (openDepth == depth) openDepth = int.MaxValue;
        }
    }

    // What comes next, for continuations of so many bytes at most: a run that is as long needs no count, so that fewer states are met.
    private StateSteps Steps(ParserState state, int height)
    {
        var steps = state.Steps ?? automaton.Expand(state);
        return steps.Run is { } run && run.Most >= height ? automaton.Loosen(state, steps) : steps;
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
