using Quilt.Formats.Grammars.Automata;

namespace Quilt.Formats.Grammars.Masks;

/// <summary>
/// The tokens that a grammar allows in each state, found when first asked for and remembered within bounds. Most of the work is done once for all
/// states that differ only in what a token cannot reach. Safe to use from several threads.
/// </summary>
internal sealed class MaskStore
{
    private const long MaxSize = 48L << 20;
    private readonly Lock gate = new();
    private readonly Dictionary<ParserState, TokenMask> known = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<ParserState, SharedMask> shared = new(ReferenceEqualityComparer.Instance);
    private readonly Automaton automaton;
    private readonly GrammarVocabulary vocabulary;
    private readonly int[] specialIds;
    private readonly MaskBuilder builder;
    private readonly uint[] scratch;
    private readonly List<OpenNode> open = [];
    private readonly List<int> more = [];
    private readonly List<int> less = [];

    public MaskStore(Automaton automaton, GrammarVocabulary vocabulary, int[] specialIds)
    {
        (this.automaton, this.vocabulary, this.specialIds) = (automaton, vocabulary, specialIds);
        builder = new MaskBuilder(automaton, vocabulary);
        scratch = new uint[vocabulary.MaskWords];
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
                shared.Clear();
                Size = 0;
            }
            known[state] = mask;
            Size += 150 + mask.Size;
            return mask;
        }
    }

    private TokenMask Build(ParserState state)
    {
        var (brief, exact) = automaton.Shorten(state);
        if (!shared.TryGetValue(brief, out var common))
        {
            common = BuildShared(brief);
            shared[brief] = common;
            Size += 200 + common.Mask.Size + 4 * common.Rests.Length;
        }
        if (brief == state && specialIds.Length == 0) return common.Mask;
        more.Clear();
        less.Clear();
        var most = int.MaxValue;
        if (exact < vocabulary.Deepest && common.Slice is { } slice
            && automaton.CountFirst(state, slice.Ascii.Low, slice.Ascii.High, slice.HasOthers) is >= 0 and var first)
        {
            most = first;
            common.AddBeyond(first, token => automaton.Takes(state, vocabulary.Bytes(token)), exact, vocabulary, less);
        }
        else if (exact < vocabulary.Deepest)
        {
            foreach (var token in common.Longer(exact, vocabulary))
            {
                if (vocabulary.Bytes(token).Length <= exact) break;
                if (!automaton.Takes(state, vocabulary.Bytes(token))) less.Add(token);
            }
        }
        foreach (var node in common.Open)
            if (At(state, node) is { } behind) builder.BuildBelow(node with { Most = Math.Min(node.Most, most) }, behind, common.Mask, more);
        if (exact < vocabulary.Deepest)
            more.RemoveAll(token => vocabulary.Bytes(token).Length > exact && !automaton.Takes(state, vocabulary.Bytes(token)));
        for (var i = 0; i < specialIds.Length; i++)
            if (automaton.StepSpecial(state, i) is not null && !common.Mask.Contains(specialIds[i])) more.Add(specialIds[i]);
        return common.Mask.With(more, less, scratch);
    }

    private SharedMask BuildShared(ParserState brief)
    {
        open.Clear();
        var mask = builder.Build(brief, open, out var slice, out var rests);
        return new SharedMask(mask, [.. open], slice, rests);
    }

    // The state at a node; characters of a slice before it change nothing but counts.
    private ParserState? At(ParserState state, OpenNode node)
    {
        var now = state;
        for (var i = 0; i < node.Least; i++)
        {
            if (automaton.Step(now, node.Slice!.Sample) is not { } next) return null;
            now = next;
        }
        var bytes = node.Trie.PathTo(node.Node);
        foreach (var value in bytes)
        {
            if (automaton.Step(now, value) is not { } next) return null;
            now = next;
        }
        return now;
    }
}
