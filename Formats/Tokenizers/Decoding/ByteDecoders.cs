using System.Text;
using Quilt.Formats.Tokenizers.Bpe;

namespace Quilt.Formats.Tokenizers.Decoding;

/// <summary>"ByteLevel": all tokens as one text of the bytes they spell in the byte alphabet; what is not valid UTF-8 becomes U+FFFD.</summary>
internal sealed class ByteLevelDecoder : TokenDecoder
{
    /// <summary>The bytes of a token. One that is not all of the alphabet is ordinary text.</summary>
    public static byte[] Bytes(string token) => ByteAlphabet.Read(token) ?? Encoding.UTF8.GetBytes(token);

    public override void Apply(List<string> tokens)
    {
        var bytes = new List<byte>();
        foreach (var token in tokens) bytes.AddRange(Bytes(token));
        tokens.Clear();
        tokens.Add(Encoding.UTF8.GetString(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes)));
    }
}

/// <summary>
/// "ByteFallback": runs of tokens such as &lt;0xE4&gt; become the text of their bytes, or one U+FFFD a byte where the run is not valid UTF-8.
/// </summary>
internal sealed class ByteFallbackDecoder : TokenDecoder
{
    /// <summary>Whether a token stands for a byte. The two digits may be in either case, and the first may be a plus: Rust reads it so.</summary>
    public static bool TryRead(string token, out byte value)
    {
        value = 0;
        if (token.Length != 6 || !token.StartsWith("<0x", StringComparison.Ordinal) || token[5] != '>') return false;
        if (!char.IsAsciiHexDigit(token[4]) || token[3] != '+' && !char.IsAsciiHexDigit(token[3])) return false;
        value = (byte)((token[3] == '+' ? 0 : Convert.ToInt32(token[3].ToString(), 16) << 4) | Convert.ToInt32(token[4].ToString(), 16));
        return true;
    }

    public override void Apply(List<string> tokens)
    {
        var run = new List<byte>();
        var kept = 0;
        for (var i = 0; i <= tokens.Count; i++)
        {
            if (i < tokens.Count && TryRead(tokens[i], out var value))
            {
                run.Add(value);
                continue;
            }
            // A run takes the place of its tokens, of which there are as many as it can have pieces.
            if (run.Count > 0)
            {
                if (System.Text.Unicode.Utf8.IsValid(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(run)))
                    tokens[kept++] = Encoding.UTF8.GetString([.. run]);
                else foreach (var _ in run) tokens[kept++] = "\uFFFD";
                run.Clear();
            }
            if (i < tokens.Count) tokens[kept++] = tokens[i];
        }
        tokens.RemoveRange(kept, tokens.Count - kept);
    }
}
