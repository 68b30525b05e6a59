using System.Collections.Concurrent;
using System.Text;
using Quilt.Formats.Tokenizers.AddedTokens;
using Quilt.Formats.Tokenizers.Processing;

namespace Quilt.Formats.Tokenizers;

/// <summary>
/// Text to ids and back, as a tokenizer.json says and exactly as Hugging Face's tokenizers library does it: BPE, Unigram, WordPiece and
/// WordLevel. A component that is not known is refused by name when the file is opened. Safe to use from several threads.
/// </summary>
public sealed class Tokenizer
{
    private const string FileName = "tokenizer.json";
    private readonly TokenizerParts parts;
    private readonly ConcurrentBag<EncodingWorker> workers = [];
    private readonly byte[] tokenBytes;
    private readonly int[] tokenStarts;
    private readonly int longestToken;

    internal Tokenizer(TokenizerParts parts)
    {
        this.parts = parts;
        tokenStarts = new int[parts.Tokens.Length + 1];
        var bytes = new List<byte>(parts.Tokens.Length * 6);
        for (var id = 0; id < parts.Tokens.Length; id++)
        {
            if (parts.Texts[id] is { } token) bytes.AddRange(parts.Decoder.Bytes(token));
            tokenStarts[id + 1] = bytes.Count;
            longestToken = Math.Max(longestToken, bytes.Count - tokenStarts[id]);
        }
        tokenBytes = [.. bytes];
    }

    /// <summary>The highest id that has a token, plus one. Ids below it may have none.</summary>
    public int VocabularySize => parts.Tokens.Length;

    internal TokenizerParts Parts => parts;

    /// <summary>What looks wrong in its files but keeps nothing from working: added tokens that have another number than a file states.</summary>
    public IReadOnlyList<string> Warnings => parts.Renumbered;

    /// <summary>
    /// Reads a tokenizer. In a folder the files beside it count too: the added tokens of tokenizer_config.json (or of the older
    /// special_tokens_map.json and added_tokens.json) that tokenizer.json may lack.
    /// </summary>
    /// <param name="path">A tokenizer.json, or a folder with one.</param>
    /// <exception cref="BadInputException">The file is missing or malformed, or asks for a component that is not supported, which is
    /// named.</exception>
    public static Tokenizer Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Directory.Exists(path) ? Open(path, FolderTokens.Read(path)) : new(TokenizerReader.Read(ReadFile(path), path));
    }

    /// <summary>Whether a folder has a tokenizer.</summary>
    internal static bool Exists(string folder) => File.Exists(Path.Combine(folder, FileName));

    /// <summary>A folder's tokenizer, where the files beside it are read already.</summary>
    internal static Tokenizer Open(string folder, FolderTokens tokens)
    {
        var file = Path.Combine(folder, FileName);
        return new(TokenizerReader.Read(ReadFile(file), file, tokens));
    }

    private static byte[] ReadFile(string file)
    {
        if (!File.Exists(file)) throw new BadInputException(file, null, "there is no such file");
        try
        {
            return File.ReadAllBytes(file);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(file, null, $"it cannot be read: {problem.Message}", problem);
        }
    }

    /// <summary>Reads a tokenizer from the bytes of a tokenizer.json.</summary>
    /// <param name="json">The file's content.</param>
    /// <param name="source">What to call it in messages.</param>
    /// <exception cref="BadInputException">The content is malformed, or asks for a component that is not supported, which is named.</exception>
    public static Tokenizer Read(ReadOnlyMemory<byte> json, string source) => new(TokenizerReader.Read(json, source));

    /// <summary>The ids of a text. Lone surrogates in it count as U+FFFD.</summary>
    /// <param name="text">Any text; added tokens written in it are recognized.</param>
    /// <param name="addSpecialTokens">Whether the file's template (a beginning-of-text token, say) is put around the ids.</param>
    /// <param name="encodeSpecialTokens">Whether special tokens written in the text are ordinary text; added tokens that are not special still
    /// match.</param>
    /// <exception cref="BadInputException">A pattern of the file needs too many steps on this text.</exception>
    public int[] Encode(string text, bool addSpecialTokens = false, bool encodeSpecialTokens = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Encode(text.AsSpan(), addSpecialTokens, encodeSpecialTokens);
    }

    /// <inheritdoc cref="Encode(string, bool, bool)"/>
    public int[] Encode(ReadOnlySpan<char> text, bool addSpecialTokens = false, bool encodeSpecialTokens = false)
    {
        var worker = workers.TryTake(out var idle) ? idle : new EncodingWorker(parts);
        var ids = worker.Encode(text, addSpecialTokens, encodeSpecialTokens).ToArray();
        if (!worker.IsBloated) workers.Add(worker);
        return ids;
    }

    /// <summary>The ids of a text, if they are no more than <paramref name="most"/>: a text of too many costs no more than they would.</summary>
    /// <param name="text">Any text; added tokens written in it are recognized.</param>
    /// <param name="most">Most ids.</param>
    /// <param name="ids">The ids; empty where there are more.</param>
    /// <param name="addSpecialTokens">As of <see cref="Encode(string, bool, bool)"/>.</param>
    /// <exception cref="BadInputException">A pattern of the file needs too many steps on this text.</exception>
    public bool TryEncode(string text, int most, out int[] ids, bool addSpecialTokens = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        ids = [];
        // A normalizer may shorten a text, but not to a small part of what its longest tokens could hold.
        if (text.Length / 4 > (long)most * longestToken) return false;
        var worker = workers.TryTake(out var idle) ? idle : new EncodingWorker(parts);
        var fits = worker.TryEncode(text, addSpecialTokens, most);
        if (fits) ids = [.. worker.Ids];
        if (!worker.IsBloated) workers.Add(worker);
        return fits;
    }

    /// <summary>The ids of a text in UTF-8. Bytes that are not valid UTF-8 count as U+FFFD.</summary>
    /// <inheritdoc cref="Encode(string, bool, bool)"/>
    public int[] EncodeUtf8(ReadOnlySpan<byte> text, bool addSpecialTokens = false, bool encodeSpecialTokens = false)
    {
        if (!System.Text.Unicode.Utf8.IsValid(text)) return Encode(Encoding.UTF8.GetString(text), addSpecialTokens, encodeSpecialTokens);
        var worker = workers.TryTake(out var idle) ? idle : new EncodingWorker(parts);
        var ids = worker.Encode(text, addSpecialTokens, encodeSpecialTokens).ToArray();
        if (!worker.IsBloated) workers.Add(worker);
        return ids;
    }

    /// <summary>
    /// One or two texts as a model's whole input: with the file's template, and cut and filled up as its truncation and padding settings say.
    /// That is for models that classify or embed; <see cref="Encode(string, bool, bool)"/>, which generation uses, leaves those settings alone.
    /// </summary>
    /// <param name="first">A text.</param>
    /// <param name="second">Another one; null for a single text.</param>
    /// <param name="addSpecialTokens">Whether the template's special tokens are added.</param>
    /// <param name="encodeSpecialTokens">Whether special tokens written in the texts are ordinary text.</param>
    /// <returns>The ids, and for each the number of the text that the template counts it to.</returns>
    /// <exception cref="BadInputException">A pattern of the file needs too many steps on a text, or the texts cannot be cut as the file
    /// says.</exception>
    public (int[] Ids, int[] TypeIds) EncodeInput(string first, string? second = null, bool addSpecialTokens = true, bool encodeSpecialTokens = false)
    {
        ArgumentNullException.ThrowIfNull(first);
        var one = Encode(first.AsSpan(), addSpecialTokens: false, encodeSpecialTokens);
        var two = second is null ? null : Encode(second.AsSpan(), addSpecialTokens: false, encodeSpecialTokens);
        var plan = parts.Plans[pair: two is not null, addSpecialTokens];
        parts.Truncation?.Apply(ref one, ref two, plan.Added, parts.Source);
        List<int> ids = [], types = [];
        foreach (var part in plan.Parts)
        {
            var its = part.Text switch { PlanPart.Fixed => part.Ids, 0 => one, _ => two! };
            ids.AddRange(its);
            types.AddRange(Enumerable.Repeat(part.TypeId, its.Length));
        }
        if (parts.Padding is { } padding)
        {
            var missing = padding.Missing(ids.Count);
            var at = padding.AtLeft ? 0 : ids.Count;
            ids.InsertRange(at, Enumerable.Repeat(padding.Id, missing));
            types.InsertRange(at, Enumerable.Repeat(padding.TypeId, missing));
        }
        return ([.. ids], [.. types]);
    }

    /// <summary>The text of ids. Ids without a token are left out; bytes that are not valid UTF-8 become U+FFFD.</summary>
    /// <param name="ids">Any ids.</param>
    /// <param name="skipSpecialTokens">Whether special tokens are left out.</param>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false)
    {
        if (!parts.Decoder.IsByteLevel) return DecodeTokens(ids, skipSpecialTokens);
        var length = 0;
        foreach (var id in ids) length += Bytes(id).Length;
        var bytes = new byte[length];
        var count = 0;
        foreach (var id in ids)
        {
            if (skipSpecialTokens && IsSpecial(id)) continue;
            var its = Bytes(id);
            its.CopyTo(bytes.AsSpan(count));
            count += its.Length;
        }
        return Encoding.UTF8.GetString(bytes, 0, count);
    }

    private string DecodeTokens(ReadOnlySpan<int> ids, bool skipSpecialTokens)
    {
        var tokens = new List<string>(ids.Length);
        foreach (var id in ids)
            if (Token(id) is not null && parts.Texts[id] is { } token && !(skipSpecialTokens && IsSpecial(id))) tokens.Add(token);
        return parts.Decoder.Decode(tokens);
    }

    /// <summary>The id of a token, written as the file writes it (byte-level tokens in the byte alphabet: "Ġthe").</summary>
    public bool TryGetId(string token, out int id) => parts.Ids.TryGetValue(token, out id);

    /// <summary>A token as the file writes it, or null where the id has none.</summary>
    public string? Token(int id) => (uint)id < (uint)parts.Tokens.Length ? parts.Tokens[id] : null;

    /// <summary>Whether an id is a special token, which decoding can leave out.</summary>
    public bool IsSpecial(int id) => (uint)id < (uint)parts.Special.Length && parts.Special[id];

    /// <summary>The bytes a token stands for in the middle of a text, perhaps a part of a character only; empty where the id has no token.</summary>
    public ReadOnlySpan<byte> Bytes(int id) =>
        (uint)id < (uint)parts.Tokens.Length ? tokenBytes.AsSpan(tokenStarts[id], tokenStarts[id + 1] - tokenStarts[id]) : default;

    /// <summary>Starts decoding ids one by one, as they are generated.</summary>
    /// <param name="skipSpecialTokens">Whether special tokens are left out.</param>
    /// <param name="prefill">Ids that came before and whose text was given out already, if they end in a whole character; otherwise their text comes
    /// with the character's end.</param>
    /// <param name="kept">Special tokens that are not left out after all: markers that the text's reader needs.</param>
    public StreamingDecoder Stream(bool skipSpecialTokens = false, ReadOnlySpan<int> prefill = default, IReadOnlySet<int>? kept = null) =>
        new(this, new SkippedTokens(this, skipSpecialTokens, kept), prefill);
}
