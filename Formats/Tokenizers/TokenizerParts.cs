using Quilt.Formats.Tokenizers.AddedTokens;
using Quilt.Formats.Tokenizers.Decoding;
using Quilt.Formats.Tokenizers.Models;
using Quilt.Formats.Tokenizers.Normalizing;
using Quilt.Formats.Tokenizers.Processing;
using Quilt.Formats.Tokenizers.Splitting;

namespace Quilt.Formats.Tokenizers;

/// <summary>What a tokenizer.json describes, put together and checked; shared by everything that encodes with it.</summary>
internal sealed class TokenizerParts
{
    /// <summary>The file, for messages.</summary>
    public required string Source { get; init; }

    /// <summary>Tokens as the file writes them, by id; null where an id has none.</summary>
    public required string?[] Tokens { get; init; }

    /// <summary>Ids by token, added tokens first.</summary>
    public required Dictionary<string, int> Ids { get; init; }

    /// <summary>Tokens as they are decoded, by id: those of added tokens that are looked for in normalized text are normalized too.</summary>
    public required string?[] Texts { get; init; }

    /// <summary>Which ids are special. The library tells by the text that is decoded, so that one whose text normalization changes is not.</summary>
    public required bool[] Special { get; init; }

    /// <summary>Complaints about added tokens whose number is not the one that a file states.</summary>
    public required IReadOnlyList<string> Renumbered { get; init; }

    /// <summary>Added tokens looked for in the text as it comes.</summary>
    public required AddedTokenMatcher Raw { get; init; }

    /// <summary>Added tokens looked for in normalized text.</summary>
    public required AddedTokenMatcher Normalized { get; init; }

    /// <summary>What rewrites the text, if anything does.</summary>
    public required NormalizerChain Normalizer { get; init; }

    /// <summary>What cuts the text into words, in order.</summary>
    public required IReadOnlyList<PreTokenizerStep> Steps { get; init; }

    /// <summary>What turns words into ids.</summary>
    public required TokenModel Model { get; init; }

    /// <summary>What goes around a text that is encoded with special tokens, and how two texts become one input.</summary>
    public required SequencePlans Plans { get; init; }

    /// <summary>How long an input may be; only for those who ask for it.</summary>
    public required Truncation? Truncation { get; init; }

    /// <summary>What fills an input up; only for those who ask for it.</summary>
    public required Padding? Padding { get; init; }

    /// <summary>What turns tokens into text.</summary>
    public required DecoderChain Decoder { get; init; }
}
