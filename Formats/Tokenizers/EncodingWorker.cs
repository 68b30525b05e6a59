using System.Text;
using Quilt.Formats.Tokenizers.Bpe;
using Quilt.Formats.Tokenizers.Patterns;
using Quilt.Formats.Tokenizers.Splitting;

namespace Quilt.Formats.Tokenizers;

/// <summary>Encodes one text at a time with memory it keeps: buffers, and a cache of the words it met. A tokenizer lends one to each call.</summary>
internal sealed class EncodingWorker
{
    private const int LargestKept = 1 << 22;
    private readonly TokenizerParts parts;
    private readonly BpeEncoder encoder;
    private readonly SplitScratch scratch = new();
    private readonly List<(int Start, int End)>[] pieces;
    private readonly List<(int Id, int Start, int End)> rawParts = [];
    private readonly List<(int Id, int Start, int End)> normalizedParts = [];
    private readonly List<int> ids = [];
    private byte[] utf8 = [];
    private byte[] prefixed = new byte[64];

    public EncodingWorker(TokenizerParts parts)
    {
        this.parts = parts;
        encoder = new(parts.Model);
        pieces = [.. parts.Splitters.Select(_ => new List<(int Start, int End)>())];
    }

    /// <summary>Work done for the last text, in steps of the pattern matcher and pairs of symbols.</summary>
    public long Steps => scratch.Matching.Steps + encoder.Steps;

    /// <summary>Whether the worker grew so large that it is not worth keeping.</summary>
    public bool IsBloated => utf8.Length > LargestKept;

    /// <summary>Ids of a text; valid until the next call. A lone surrogate counts as U+FFFD.</summary>
    public List<int> Encode(ReadOnlySpan<char> text, bool addSpecialTokens, bool encodeSpecialTokens)
    {
        var most = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (utf8.Length < most) utf8 = new byte[most];
        return Encode(utf8.AsSpan(0, Encoding.UTF8.GetBytes(text, utf8)), addSpecialTokens, encodeSpecialTokens);
    }

    /// <summary>Ids of a text that is valid UTF-8; valid until the next call.</summary>
    public List<int> Encode(ReadOnlySpan<byte> text, bool addSpecialTokens, bool encodeSpecialTokens)
    {
        ids.Clear();
        scratch.Matching.Reset();
        if (addSpecialTokens) ids.AddRange(parts.Template.Before);
        try
        {
            rawParts.Clear();
            parts.Raw.Cut(text, encodeSpecialTokens, rawParts);
            foreach (var (id, start, end) in rawParts)
            {
                if (id >= 0) ids.Add(id);
                else Gap(text[start..end], encodeSpecialTokens);
            }
        }
        catch (PatternTooSlowException)
        {
            throw new BadInputException(parts.Source, "pre_tokenizer", "its pattern needs too many steps on this text");
        }
        if (addSpecialTokens) ids.AddRange(parts.Template.After);
        return ids;
    }

    private void Gap(ReadOnlySpan<byte> text, bool encodeSpecialTokens)
    {
        if (parts.Normalizer?.Apply(text) is { } rewritten) text = rewritten;
        normalizedParts.Clear();
        parts.Normalized.Cut(text, encodeSpecialTokens, normalizedParts);
        foreach (var (id, start, end) in normalizedParts)
        {
            if (id >= 0) ids.Add(id);
            else Split(text[start..end], 0);
        }
    }

    private void Split(ReadOnlySpan<byte> text, int level)
    {
        if (level == parts.SplittersBeforePrefix && parts.PrefixSpace && text[0] != ' ') text = Prefix(text);
        if (level == pieces.Length)
        {
            encoder.Encode(text, ids);
            return;
        }
        var found = pieces[level];
        found.Clear();
        parts.Splitters[level].Split(text, scratch, found);
        foreach (var (start, end) in found) Split(text[start..end], level + 1);
    }

    private ReadOnlySpan<byte> Prefix(ReadOnlySpan<byte> text)
    {
        if (prefixed.Length <= text.Length) prefixed = new byte[text.Length * 2 + 1];
        prefixed[0] = (byte)' ';
        text.CopyTo(prefixed.AsSpan(1));
        return prefixed.AsSpan(0, text.Length + 1);
    }
}
