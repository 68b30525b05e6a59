using System.Text;

namespace Quilt.Formats.Tokenizers;

/// <summary>
/// Decodes ids one by one. What it has given out never changes: text is held back while it ends in the middle of a character,
/// or in bytes that cannot be told from that. Not for use from several threads.
/// </summary>
public sealed class StreamingDecoder
{
    private readonly Tokenizer tokenizer;
    private readonly SkippedTokens skipped;
    private readonly IdWindow? window;
    private byte[] pending = new byte[32];
    private int count;

    internal StreamingDecoder(Tokenizer tokenizer, SkippedTokens skipped, ReadOnlySpan<int> prefill)
    {
        this.tokenizer = tokenizer;
        this.skipped = skipped;
        // Only ByteLevel lets every token stand for bytes of its own; with any other decoder a token's text depends on those before it.
        if (!tokenizer.Parts.Decoder.IsByteLevel) window = new IdWindow(tokenizer, skipped);
        foreach (var id in prefill)
        {
            if (window is null) Append(id);
            else window.Prefill(id);
        }
        if (!EndsInReplacement(pending.AsSpan(0, count))) count = 0;
    }

    /// <summary>Takes the next id.</summary>
    /// <returns>The text that is complete now; empty while a character is unfinished.</returns>
    public string Push(int id)
    {
        if (window is not null) return window.Push(id);
        Append(id);
        return EndsInReplacement(pending.AsSpan(0, count)) ? "" : Flush();
    }

    /// <summary>Ends the text.</summary>
    /// <returns>What was held back; bytes of an unfinished character as U+FFFD.</returns>
    public string Flush()
    {
        if (window is not null) return window.Flush();
        var text = Encoding.UTF8.GetString(pending, 0, count);
        count = 0;
        return text;
    }

    private void Append(int id)
    {
        if (skipped.Contains(id)) return;
        var bytes = tokenizer.Bytes(id);
        if (pending.Length < count + bytes.Length) Array.Resize(ref pending, (count + bytes.Length) * 2);
        bytes.CopyTo(pending.AsSpan(count));
        count += bytes.Length;
    }

    // Whether the text of these bytes would end in U+FFFD, from the last four of them: a character starts at its first byte whatever stands before.
    private static bool EndsInReplacement(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty || bytes[^1] < 0x80) return false;
        var start = bytes.Length - 1;
        while (start > 0 && bytes.Length - start < 4 && (bytes[start] & 0xC0) == 0x80) start--;
        return Rune.DecodeFromUtf8(bytes[start..], out var rune, out var used) != System.Buffers.OperationStatus.Done
            || used != bytes.Length - start || rune == Rune.ReplacementChar;
    }
}
