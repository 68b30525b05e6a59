using System.Text;
using Quilt.Formats.Tokenizers.Models;
using Quilt.Formats.Tokenizers.Normalizing;
using Quilt.Formats.Tokenizers.Patterns;
using Quilt.Formats.Tokenizers.Processing;
using Quilt.Formats.Tokenizers.Splitting;

namespace Quilt.Formats.Tokenizers;

/// <summary>Encodes one text at a time with memory it keeps: buffers, and a cache of the words it met. A tokenizer lends one to each call.</summary>
internal sealed class EncodingWorker
{
    private const int LargestKept = 1 << 22;
    private readonly TokenizerParts parts;
    private readonly WordEncoder encoder;
    private readonly SplitScratch scratch = new();
    private readonly NormalizerScratch normalizing = new();
    private readonly List<(int Start, int End)>[] pieces;
    private readonly Utf8Buffer[] buffers;
    private readonly List<(int Id, int Start, int End)> rawParts = [];
    private readonly List<(int Id, int Start, int End)> normalizedParts = [];
    private readonly List<int> ids = [];
    private byte[] utf8 = [];
    private long encoderStepsBefore;
    private int most = int.MaxValue;                         // more ids than this are not asked for

    public EncodingWorker(TokenizerParts parts)
    {
        this.parts = parts;
        encoder = parts.Model.CreateEncoder();
        pieces = [.. parts.Steps.Select(_ => new List<(int Start, int End)>())];
        buffers = [.. parts.Steps.Select(_ => new Utf8Buffer())];
    }

    /// <summary>Work done for the last text, in steps of the pattern matcher and of the model.</summary>
    public long Steps => scratch.Matching.Steps + normalizing.Matching.Steps + encoder.Steps - encoderStepsBefore;

    /// <summary>Whether the worker grew so large that it is not worth keeping.</summary>
    public bool IsBloated => utf8.Length > LargestKept;

    /// <summary>The ids of the last text; valid until the next call.</summary>
    public List<int> Ids => ids;

    /// <summary>Encodes a text unless it has more than <paramref name="limit"/> ids: the work ends where there are too many.</summary>
    public bool TryEncode(ReadOnlySpan<char> text, bool addSpecialTokens, int limit)
    {
        most = limit;
        try
        {
            Encode(text, addSpecialTokens, encodeSpecialTokens: false);
        }
        finally
        {
            most = int.MaxValue;
        }
        return ids.Count <= limit;
    }

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
        if (!addSpecialTokens)
        {
            Add(text, encodeSpecialTokens);
            return ids;
        }
        foreach (var part in parts.Plans[pair: false, special: true].Parts)
        {
            if (part.Text == PlanPart.Fixed) ids.AddRange(part.Ids);
            else Add(text, encodeSpecialTokens);
        }
        return ids;
    }

    private void Add(ReadOnlySpan<byte> text, bool encodeSpecialTokens)
    {
        scratch.Matching.Reset();
        encoderStepsBefore = encoder.Steps;
        try
        {
            rawParts.Clear();
            parts.Raw.Cut(text, encodeSpecialTokens, rawParts);
            foreach (var (id, start, end) in rawParts)
            {
                if (ids.Count > most) return;
                if (id >= 0) ids.Add(id);
                else Gap(text[start..end], opens: start == 0, encodeSpecialTokens);
            }
        }
        catch (PatternTooSlowException)
        {
            throw new BadInputException(parts.Source, "pre_tokenizer", "its pattern, or the normalizer's, needs too many steps on this text");
        }
    }

    private void Gap(ReadOnlySpan<byte> text, bool opens, bool encodeSpecialTokens)
    {
        text = parts.Normalizer.Apply(text, normalizing, ref opens);
        normalizedParts.Clear();
        parts.Normalized.Cut(text, encodeSpecialTokens, normalizedParts);
        foreach (var (id, start, end) in normalizedParts)
        {
            if (ids.Count > most) return;
            if (id >= 0) ids.Add(id);
            else Split(text[start..end], 0, opens && start == 0);
        }
    }

    private void Split(ReadOnlySpan<byte> text, int level, bool opens)
    {
        if (level == pieces.Length)
        {
            encoder.Encode(text, ids);
            return;
        }
        if (parts.Steps[level] is Rewriter rewriter)
        {
            Split(rewriter.Rewrite(text, opens, buffers[level]), level + 1, opens);
            return;
        }
        var found = pieces[level];
        found.Clear();
        ((Splitter)parts.Steps[level]).Split(text, scratch, found);
        foreach (var (start, end) in found)
        {
            if (ids.Count > most) return;
            Split(text[start..end], level + 1, opens && start == 0);
        }
    }
}
