using System.Text;
using System.Text.Json;
using Quilt.Formats.Tokenizers.AddedTokens;
using Quilt.Formats.Tokenizers.Decoding;
using Quilt.Formats.Tokenizers.Models;
using Quilt.Formats.Tokenizers.Normalizing;
using Quilt.Formats.Tokenizers.Patterns;
using Quilt.Formats.Tokenizers.Processing;
using Quilt.Formats.Tokenizers.Splitting;

namespace Quilt.Formats.Tokenizers;

/// <summary>
/// Reads a tokenizer.json (the version-1.0 form of Hugging Face's tokenizers library) into parts that can do what it asks for, or refuses it.
/// </summary>
internal static class TokenizerReader
{
    /// <summary>No id reaches this: tables by id stay small whatever a file says.</summary>
    public const int IdLimit = 1 << 22;

    private const int MostComplaints = 4;

    /// <param name="json">The file's content.</param>
    /// <param name="source">The file's name.</param>
    /// <param name="folder">What the files beside it say of added tokens; null for a lone file.</param>
    /// <exception cref="BadInputException">The content is malformed, or asks for a component that is not supported.</exception>
    public static TokenizerParts Read(ReadOnlyMemory<byte> json, string source, FolderTokens? folder = null)
    {
        try
        {
            if (json.Span.StartsWith(Encoding.UTF8.Preamble)) json = json[3..];
            using var document = JsonDocument.Parse(json);
            return Read(document.RootElement, source, folder);
        }
        catch (JsonException problem)
        {
            throw new BadInputException(source, null, $"it is not valid JSON: {problem.Message}", problem);
        }
        catch (Exception problem) when (problem is InvalidOperationException or FormatException)
        {
            // What System.Text.Json throws for escapes that are half a character.
            throw new BadInputException(source, null, $"it is malformed: {problem.Message}", problem);
        }
    }

    private static TokenizerParts Read(JsonElement root, string source, FolderTokens? folder)
    {
        if (root.ValueKind != JsonValueKind.Object) throw new BadInputException(source, null, "expected an object");
        if (root.Find("version") is { } version && (version.ValueKind != JsonValueKind.String || version.GetString() != "1.0"))
            throw new BadInputException(source, "version", $"expected \"1.0\", found {version.GetRawText()}");
        var normalizer = NormalizerReader.Read(root.Find("normalizer"), source);
        var steps = PreTokenizerReader.Read(root.Find("pre_tokenizer"), source);
        // Where words come in the byte alphabet and the model can read the bytes themselves, they are not written in it first.
        var readsBytes = steps is [.., ByteAlphabetRewriter] && ModelReader.CanReadBytes(root, source);
        if (readsBytes) steps.RemoveAt(steps.Count - 1);
        var model = ModelReader.Read(root, readsBytes, source);
        var added = new AddedVocabulary(model.Vocabulary, model.Count, text => Normalize(normalizer, text, source));
        var own = ReadAddedTokens(root, source);
        added.Add(own.Select(entry => entry.Token));
        if (folder is not null) added.Add(folder.ToAdd(own));
        var (tokens, ids) = Merge(model.Vocabulary, added);
        var texts = (string?[])tokens.Clone();
        foreach (var id in added.ById.Keys) texts[id] = added.Text(id);
        return new TokenizerParts
        {
            Source = source,
            Tokens = tokens,
            Ids = ids,
            Texts = texts,
            Special = [.. texts.Select(text => text is not null && added.IsSpecial(text))],
            Renumbered = Renumbered(own, folder, added, source),
            Raw = Matcher(added, normalized: false, source),
            Normalized = Matcher(added, normalized: true, source),
            Normalizer = normalizer,
            Steps = steps,
            Model = model.Model,
            Plans = PostProcessorReader.Read(root.Find("post_processor"), source),
            Truncation = Truncation.Read(root.Find("truncation"), source),
            Padding = Padding.Read(root.Find("padding"), source),
            Decoder = DecoderReader.Read(root.Find("decoder"), source),
        };
    }

    private static List<(int Id, AddedToken Token)> ReadAddedTokens(JsonElement root, string source)
    {
        var tokens = new List<(int, AddedToken)>();
        if (root.Find("added_tokens") is null) return tokens;
        foreach (var item in root.Items("added_tokens", source, "tokenizer"))
        {
            var part = $"added_tokens[{tokens.Count}]";
            var id = item.Need("id", JsonValueKind.Number, source, part).Id(source, part);
            var special = item.Flag("special", false, source, part);
            tokens.Add((id, new AddedToken(
                item.Text("content", source, part),
                item.Flag("single_word", false, source, part),
                item.Flag("lstrip", false, source, part),
                item.Flag("rstrip", false, source, part),
                item.Flag("normalized", !special, source, part),
                special)));
        }
        return tokens;
    }

    private static (string?[] Tokens, Dictionary<string, int> Ids) Merge(Dictionary<string, int> model, AddedVocabulary added)
    {
        var highest = -1;
        foreach (var id in model.Values.Concat(added.Ids.Values)) highest = Math.Max(highest, id);
        var tokens = new string?[highest + 1];
        foreach (var (token, id) in model) tokens[id] = token;
        foreach (var (id, token) in added.ById) tokens[id] = token.Content;
        foreach (var (token, id) in added.Ids) model[token] = id;
        return (tokens, model);
    }

    /// <summary>Complaints about tokens whose number is not the one that a file states.</summary>
    private static List<string> Renumbered(List<(int Id, AddedToken Token)> own, FolderTokens? folder, AddedVocabulary added, string source)
    {
        var stated = own.Select(entry => (entry.Id, entry.Token, File: Path.GetFileName(source)))
            .Concat(folder is null ? [] : folder.Listed.Select(entry => (Id: entry.Key, Token: entry.Value, File: folder.ListSource)));
        var other = stated.Where(entry => added.Ids.TryGetValue(entry.Token.Content, out var id) && id != entry.Id)
            .Select(entry => $"{entry.File}: the added token \"{entry.Token.Content}\" is number {added.Ids[entry.Token.Content]}, not {entry.Id} " +
                "as stated there: new tokens are counted up from the vocabulary's size").ToList();
        // A file that is off by one is off in all of them.
        return other.Count <= MostComplaints ? other : [.. other.Take(MostComplaints), $"{other.Count - MostComplaints} more added tokens likewise"];
    }

    private static AddedTokenMatcher Matcher(AddedVocabulary added, bool normalized, string source)
    {
        var entries = new List<(byte[], AddedToken, int, bool)>();
        foreach (var (id, token) in added.ById.Where(entry => entry.Value.Normalized == normalized))
        {
            var its = Encoding.UTF8.GetBytes(normalized ? added.Text(id) : token.Content);
            if (its.Length == 0) throw new BadInputException(source, "added_tokens", $"normalization leaves nothing of \"{token.Content}\"");
            entries.Add((its, token, id, added.IsSpecial(token.Content)));
        }
        return new AddedTokenMatcher(entries);
    }

    private static string Normalize(NormalizerChain normalizer, string content, string source)
    {
        try
        {
            var opens = true;
            return Encoding.UTF8.GetString(normalizer.Apply(Encoding.UTF8.GetBytes(content), new NormalizerScratch(), ref opens));
        }
        catch (PatternTooSlowException)
        {
            throw new BadInputException(source, "normalizer", $"its pattern needs too many steps on the added token \"{content}\"");
        }
    }
}
