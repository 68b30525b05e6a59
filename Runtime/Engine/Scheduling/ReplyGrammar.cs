using Quilt.Formats.Grammars;

namespace Quilt.Runtime.Scheduling;

/// <summary>
/// Holds a reply to its grammar, from where its thinking ends: thinking is free, and so is whether a reply begins with it, once. Belongs to one
/// request.
/// </summary>
/// <param name="matcher">Where the reply stands in the grammar.</param>
/// <param name="thinkingBegin">The token with which the model begins to think; −1 where none does.</param>
internal sealed class ReplyGrammar(GrammarMatcher matcher, int thinkingBegin)
{
    private readonly uint[] mask = new uint[matcher.Grammar.Vocabulary.MaskWords];
    private bool hasBegun;                                   // to think, or to write what the grammar is of

    /// <summary>Whether nothing but an end may follow.</summary>
    public bool IsOver => matcher.IsEnded || (matcher.IsComplete && matcher.CountAllowed() == matcher.Grammar.Vocabulary.EndTokens.Count);

    /// <summary>A bit for each token that may come next, valid until the next call; empty: any may.</summary>
    /// <param name="isThinking">Whether the next token will be one of thinking.</param>
    public ReadOnlyMemory<uint> Next(bool isThinking)
    {
        hasBegun |= isThinking;
        if (isThinking) return default;
        matcher.FillMask(mask);
        if (!hasBegun && thinkingBegin >= 0) mask[thinkingBegin >> 5] |= 1u << thinkingBegin;
        return mask;
    }

    /// <summary>Takes a chosen token; false if the grammar does not allow it.</summary>
    /// <param name="token">The token.</param>
    /// <param name="wasThinking">Whether it is one of thinking.</param>
    public bool TryAccept(int token, bool wasThinking)
    {
        if (wasThinking || (!hasBegun && token == thinkingBegin)) return true;
        hasBegun = true;
        return matcher.Accept(token);
    }
}
