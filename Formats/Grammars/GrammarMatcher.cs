using Quilt.Formats.Grammars.Automata;

namespace Quilt.Formats.Grammars;

/// <summary>Where a reply stands in its grammar. Not for use from several threads.</summary>
public sealed class GrammarMatcher
{
    private readonly CompiledGrammar grammar;
    private ParserState state;

    internal GrammarMatcher(CompiledGrammar grammar)
    {
        this.grammar = grammar;
        state = grammar.Grammar.Automaton.Start;
    }

    /// <summary>The grammar that is matched.</summary>
    public CompiledGrammar Grammar => grammar;

    /// <summary>Whether the text so far belongs to the grammar; an end of the reply is allowed then.</summary>
    public bool IsComplete => state.IsComplete;

    /// <summary>Whether an end token was taken; nothing is allowed any more.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Where the reply stands; setting it goes back, or on, to what was read before from a matcher of the same grammar.</summary>
    /// <exception cref="ArgumentException">It was not read from a matcher.</exception>
    public GrammarPosition Position
    {
        get => new(state, IsEnded);
        set
        {
            state = value.State ?? throw new ArgumentException("a position that was read from a matcher is expected", nameof(value));
            IsEnded = value.IsEnded;
        }
    }

    /// <summary>How many tokens are allowed now, end tokens among them.</summary>
    public int CountAllowed() => IsEnded ? 0 : grammar.Masks.Find(state).Count + (IsComplete ? grammar.Vocabulary.EndTokens.Count : 0);

    /// <summary>Writes which tokens are allowed now: exactly those with which the text can still become complete.</summary>
    /// <param name="bits">Token t is bit t mod 32 of word t / 32; at least <see cref="GrammarVocabulary.MaskWords"/> words. Further ones are
    /// cleared.</param>
    /// <exception cref="ArgumentException">There are too few words.</exception>
    public void FillMask(Span<uint> bits)
    {
        if (bits.Length < grammar.Vocabulary.MaskWords)
            throw new ArgumentException($"a mask of at least {grammar.Vocabulary.MaskWords} words is expected, it has {bits.Length}", nameof(bits));
        if (IsEnded)
        {
            bits.Clear();
            return;
        }
        grammar.Masks.Find(state).Fill(bits);
        if (!IsComplete) return;
        foreach (var id in grammar.Vocabulary.EndTokens) bits[id >> 5] |= 1u << id;
    }

    /// <summary>Lists the tokens that are allowed now, in no order, where they are few.</summary>
    /// <param name="ids">Takes the tokens.</param>
    /// <param name="count">How many there are.</param>
    /// <returns>False where <paramref name="ids"/> is too short or the tokens are only known as bits; <see cref="FillMask"/> gives them then.</returns>
    public bool TryListAllowed(Span<int> ids, out int count)
    {
        count = 0;
        if (IsEnded) return true;
        var mask = grammar.Masks.Find(state);
        var ends = grammar.Vocabulary.EndTokens;
        if (!mask.IsShort || mask.Count + ends.Count > ids.Length) return false;
        mask.Added.CopyTo(ids);
        count = mask.Count;
        for (var i = 0; IsComplete && i < ends.Count; i++) ids[count++] = ends[i];
        return true;
    }

    /// <summary>Whether a token is allowed now.</summary>
    public bool Allows(int token) => !IsEnded && (grammar.Vocabulary.IsEnd(token) ? IsComplete : grammar.Step(state, token) is not null);

    /// <summary>Goes on by a token.</summary>
    /// <returns>False where it is not allowed; nothing changes then.</returns>
    public bool Accept(int token)
    {
        if (IsEnded) return false;
        if (grammar.Vocabulary.IsEnd(token)) return IsEnded = IsComplete;
        if (grammar.Step(state, token) is not { } next) return false;
        state = next;
        return true;
    }

    /// <summary>Goes on by bytes of text.</summary>
    /// <returns>How many were taken before one that is not allowed; all of them if that is the length.</returns>
    public int AcceptBytes(ReadOnlySpan<byte> bytes)
    {
        if (IsEnded) return 0;
        for (var i = 0; i < bytes.Length; i++)
        {
            if (grammar.Grammar.Automaton.Step(state, bytes[i]) is not { } next) return i;
            state = next;
        }
        return bytes.Length;
    }

    /// <summary>Begins again.</summary>
    public void Reset()
    {
        state = grammar.Grammar.Automaton.Start;
        IsEnded = false;
    }
}

/// <summary>A place in a grammar, to come back to.</summary>
public readonly struct GrammarPosition
{
    internal GrammarPosition(ParserState state, bool isEnded) => (State, IsEnded) = (state, isEnded);

    internal ParserState? State { get; }

    internal bool IsEnded { get; }
}
