using System.Text;
using Quilt.Formats.Tokenizers.Normalizing;
using Quilt.Formats.Tokenizers.Patterns;
using Quilt.Formats.Tokenizers.Splitting;

namespace Quilt.Formats.Tokenizers.Decoding;

/// <summary>"Fuse": all tokens as one.</summary>
internal sealed class FuseDecoder : TokenDecoder
{
    public override void Apply(List<string> tokens)
    {
        var text = string.Concat(tokens);
        tokens.Clear();
        tokens.Add(text);
    }
}

/// <summary>"Replace" in every token.</summary>
internal sealed class ReplaceDecoder(Normalizer replacer, string source) : TokenDecoder
{
    public override void Apply(List<string> tokens)
    {
        var scratch = new NormalizerScratch();
        for (var i = 0; i < tokens.Count; i++) tokens[i] = Replace(tokens[i], scratch);
    }

    public override string Middle(string token) => Replace(token, new NormalizerScratch());

    private string Replace(string token, NormalizerScratch scratch)
    {
        if (token.Length == 0) return token;
        scratch.Matching.Reset();
        scratch.Other.Clear();
        var opens = true;
        try
        {
            return replacer.Apply(Encoding.UTF8.GetBytes(token), scratch, scratch.Other, ref opens)
                ? Encoding.UTF8.GetString(scratch.Other.Text)
                : token;
        }
        catch (PatternTooSlowException)
        {
            throw new BadInputException(source, "decoder", "its pattern needs too many steps on this token");
        }
    }
}

/// <summary>"Replace" of a fixed text, which is not empty, in every token.</summary>
internal sealed class LiteralReplaceDecoder(string literal, string content) : TokenDecoder
{
    public override void Apply(List<string> tokens)
    {
        for (var i = 0; i < tokens.Count; i++) tokens[i] = Middle(tokens[i]);
    }

    public override string Middle(string token) => token.Replace(literal, content, StringComparison.Ordinal);
}

/// <summary>
/// "Strip": takes up to so many of one character off each end of every token. Where the library fails, for a token of nothing else, nothing is left.
/// </summary>
internal sealed class StripDecoder(string character, int start, int stop) : TokenDecoder
{
    public override void Apply(List<string> tokens)
    {
        for (var i = 0; i < tokens.Count; i++)
        {
            var token = tokens[i].AsSpan();
            for (var n = 0; n < start && token.StartsWith(character, StringComparison.Ordinal); n++) token = token[character.Length..];
            for (var n = 0; n < stop && token.EndsWith(character, StringComparison.Ordinal); n++) token = token[..^character.Length];
            if (token.Length < tokens[i].Length) tokens[i] = token.ToString();
        }
    }
}

/// <summary>"Metaspace": marks become blanks, and those of the first token go where one was put before the text.</summary>
internal sealed class MetaspaceDecoder(string mark, PrependScheme scheme) : TokenDecoder
{
    public override void Apply(List<string> tokens)
    {
        for (var i = 0; i < tokens.Count; i++)
            tokens[i] = tokens[i].Replace(mark, i == 0 && scheme != PrependScheme.Never ? "" : " ", StringComparison.Ordinal);
    }

    public override string Middle(string token) => token.Replace(mark, " ", StringComparison.Ordinal);
}
