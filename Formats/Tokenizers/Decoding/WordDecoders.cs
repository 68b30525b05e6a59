using System.Text;

namespace Quilt.Formats.Tokenizers.Decoding;

/// <summary>"WordPiece": a blank before every token that does not go on with a word, and the blanks of English punctuation taken out again.</summary>
internal sealed class WordPieceDecoder(string prefix, bool cleanup) : TokenDecoder
{
    public override void Apply(List<string> tokens)
    {
        for (var i = 0; i < tokens.Count; i++)
        {
            if (i > 0) tokens[i] = Join(tokens[i]);
            if (cleanup) tokens[i] = CleanUp(tokens[i]);
        }
    }

    public override string Middle(string token) => cleanup ? CleanUp(Join(token)) : Join(token);

    /// <summary>Takes out blanks that English does not have.</summary>
    public static string CleanUp(string text) => new StringBuilder(text)
        .Replace(" .", ".").Replace(" ?", "?").Replace(" !", "!").Replace(" ,", ",").Replace(" ' ", "'").Replace(" n't", "n't")
        .Replace(" 'm", "'m").Replace(" do not", " don't").Replace(" 's", "'s").Replace(" 've", "'ve").Replace(" 're", "'re").ToString();

    private string Join(string token) => token.StartsWith(prefix, StringComparison.Ordinal) ? token[prefix.Length..] : " " + token;
}

/// <summary>"BPEDecoder": the suffix that ends a word becomes a blank, but for the last token's.</summary>
internal sealed class SuffixDecoder(string suffix) : TokenDecoder
{
    public override void Apply(List<string> tokens)
    {
        for (var i = 0; i < tokens.Count; i++) tokens[i] = Replace(tokens[i], i == tokens.Count - 1 ? "" : " ");
    }

    public override string Middle(string token) => Replace(token, " ");

    // An empty suffix is found before every character and at the end.
    private string Replace(string token, string content) => suffix.Length > 0 ? token.Replace(suffix, content, StringComparison.Ordinal)
        : content + string.Concat(token.EnumerateRunes().Select(rune => rune.ToString() + content));
}

/// <summary>"CTC": equal tokens in a row count once, padding is nothing, and a delimiter is a blank.</summary>
internal sealed class CtcDecoder(string padding, string delimiter, bool cleanup) : TokenDecoder
{
    public override void Apply(List<string> tokens)
    {
        var kept = 0;
        string? before = null;
        for (var i = 0; i < tokens.Count; i++)
        {
            var token = tokens[i];
            if (token == before) continue;
            before = token;
            if (Middle(token) is { Length: > 0 } text) tokens[kept++] = text;
        }
        tokens.RemoveRange(kept, tokens.Count - kept);
    }

    public override string Middle(string token)
    {
        if (padding.Length > 0) token = token.Replace(padding, "", StringComparison.Ordinal);
        if (cleanup) token = WordPieceDecoder.CleanUp(token);
        return cleanup && delimiter.Length > 0 ? token.Replace(delimiter, " ", StringComparison.Ordinal) : token;
    }
}
