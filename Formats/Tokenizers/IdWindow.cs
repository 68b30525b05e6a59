using System.Runtime.InteropServices;
using System.Text;

namespace Quilt.Formats.Tokenizers;

/// <summary>
/// The last ids of a stream, decoded together: the ids whose text came last, which tell how the next ones are read (a blank before a word,
/// a byte that finishes a character), and those whose text is still to come. This is the library's DecodeStream, but that it goes on where
/// the library gives up: where new ids change the text of those before them, they are read by themselves.
/// </summary>
internal sealed class IdWindow(Tokenizer tokenizer, SkippedTokens skipped)
{
    private readonly List<int> ids = [];
    private string given = "";
    private int givenIds;

    /// <summary>Adds an id that came before and whose text is not asked for.</summary>
    public void Prefill(int id) => Add(id);

    /// <summary>Adds an id and returns the text that is complete now.</summary>
    public string Push(int id)
    {
        if (given.Length == 0 && ids.Count > 0 && Decode(0) is var before && !EndsInReplacement(before)) (given, givenIds) = (before, ids.Count);
        Add(id);
        var text = Decode(0);
        return EndsInReplacement(text) ? "" : Advance(text);
    }

    /// <summary>All that was held back.</summary>
    public string Flush() => Advance(Decode(0));

    // An id without a token, or one that is skipped, leaves no trace.
    private void Add(int id)
    {
        if (tokenizer.Token(id) is not null && !skipped.Contains(id)) ids.Add(id);
    }

    private string Advance(string text)
    {
        if (Encoding.UTF8.GetByteCount(text) <= Encoding.UTF8.GetByteCount(given)) return "";
        var fresh = text.StartsWith(given, StringComparison.Ordinal) ? text[given.Length..] : Decode(givenIds);
        ids.RemoveRange(0, givenIds);
        (given, givenIds) = (Decode(0), ids.Count);
        return fresh;
    }

    private string Decode(int from) => tokenizer.Decode(CollectionsMarshal.AsSpan(ids)[from..]);

    private static bool EndsInReplacement(string text) => text.EndsWith('\uFFFD');
}
