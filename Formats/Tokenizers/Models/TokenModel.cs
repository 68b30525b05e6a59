namespace Quilt.Formats.Tokenizers.Models;

/// <summary>What turns words into ids. Immutable; an encoder works with it.</summary>
internal abstract class TokenModel
{
    /// <summary>An encoder, for one thread of work.</summary>
    public abstract WordEncoder CreateEncoder();
}

/// <summary>Turns words into ids with memory it keeps.</summary>
internal abstract class WordEncoder
{
    /// <summary>Work done since the beginning: what tests of linearity compare.</summary>
    public virtual long Steps => 0;

    /// <summary>Adds the ids of a word.</summary>
    /// <param name="word">Not empty; UTF-8, or any bytes where the model reads bytes.</param>
    /// <param name="ids">Where they are added.</param>
    /// <exception cref="BadInputException">The model has no token for the word, and none for what is unknown.</exception>
    public abstract void Encode(ReadOnlySpan<byte> word, List<int> ids);
}

/// <summary>A model as it was read, and its tokens.</summary>
/// <param name="Model">The model.</param>
/// <param name="Vocabulary">Ids by token.</param>
/// <param name="Count">How many tokens the file lists.</param>
internal sealed record ModelFile(TokenModel Model, Dictionary<string, int> Vocabulary, int Count);
