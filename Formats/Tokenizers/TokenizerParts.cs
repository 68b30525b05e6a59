using Quilt.Formats.Tokenizers.AddedTokens;
using Quilt.Formats.Tokenizers.Bpe;
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

    /// <summary>Which ids are special.</summary>
    public required bool[] Special { get; init; }

    /// <summary>Added tokens looked for in the text as it comes.</summary>
    public required AddedTokenMatcher Raw { get; init; }

    /// <summary>Added tokens looked for in normalized text.</summary>
    public required AddedTokenMatcher Normalized { get; init; }

    /// <summary>What rewrites the text, if anything does.</summary>
    public required Normalizer? Normalizer { get; init; }

    /// <summary>What cuts the text into words, in order.</summary>
    public required IReadOnlyList<Splitter> Splitters { get; init; }

    /// <summary>How many of <see cref="Splitters"/> come before the place where <see cref="PrefixSpace"/> adds its space.</summary>
    public required int SplittersBeforePrefix { get; init; }

    /// <summary>Whether a piece that starts with no space gets one.</summary>
    public required bool PrefixSpace { get; init; }

    /// <summary>What turns words into ids.</summary>
    public required BpeModel Model { get; init; }

    /// <summary>Ids put before and after a text that is encoded with special tokens.</summary>
    public required (int[] Before, int[] After) Template { get; init; }
}
