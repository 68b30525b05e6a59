namespace Quilt.Formats.Tokenizers.Decoding;

/// <summary>A step from tokens to text: changes the tokens, whose texts in a row are the text at last. Immutable.</summary>
internal abstract class TokenDecoder
{
    /// <summary>Changes the tokens in place.</summary>
    public abstract void Apply(List<string> tokens);

    /// <summary>What becomes of a token in the middle of a text, whatever stands around it.</summary>
    public virtual string Middle(string token) => token;
}

/// <summary>All decoders of a file, one after another.</summary>
internal sealed class DecoderChain(IReadOnlyList<TokenDecoder>? steps)
{
    /// <summary>Whether the chain is ByteLevel and nothing else: then the text is the bytes of the tokens in a row.</summary>
    public bool IsByteLevel { get; } = steps is [ByteLevelDecoder];

    /// <summary>The text of tokens; the list is used up. Without a decoder there are blanks between them.</summary>
    public string Decode(List<string> tokens)
    {
        if (steps is null) return string.Join(' ', tokens);
        foreach (var step in steps) step.Apply(tokens);
        return string.Concat(tokens);
    }

    /// <summary>The bytes of a token in the middle of a text; perhaps a part of a character only.</summary>
    public byte[] Bytes(string token)
    {
        foreach (var step in steps ?? [])
        {
            if (step is ByteLevelDecoder) return ByteLevelDecoder.Bytes(token);
            if (step is ByteFallbackDecoder && ByteFallbackDecoder.TryRead(token, out var value)) return [value];
            token = step.Middle(token);
        }
        return System.Text.Encoding.UTF8.GetBytes(token);
    }
}
