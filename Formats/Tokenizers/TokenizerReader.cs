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

    /// <exception cref="BadInputException">The content is malformed, or asks for a component that is not supported.</exception>
    public static TokenizerParts Read(ReadOnlyMemory<byte> json, string source)
    {
        try
        {
            if (json.Span.StartsWith(Encoding.UTF8.Preamble)) json = json[3..];
            using var document = JsonDocument.Parse(json);
            return Read(document.RootElement, source);
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

    private static TokenizerParts Read(JsonElement root, string source)
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
        var added = new AddedVocabulary(ReadAddedTokens(root, source), model.Vocabulary, model.Count);
        var (tokens, ids) = Merge(model.Vocabulary, added);
        var texts = (string?[])tokens.Clone();
        foreach (var (id, token) in added.ById)
            if (token.Normalized) texts[id] = Encoding.UTF8.GetString(Normalize(normalizer, token.Content, source));
        return new TokenizerParts
        {
            Source = source,
            Tokens = tokens,
            Ids = ids,
            Texts = texts,
            Special = [.. texts.Select(text => text is not null && added.IsSpecial(text))],
            Raw = Matcher(added, token => !token.Normalized, token => Encoding.UTF8.GetBytes(token.Content), source),
            Normalized = Matcher(added, token => token.Normalized, token => Normalize(normalizer, token.Content, source), source),
            Normalizer = normalizer,
            Steps = steps,
            Model = model.Model,
            Plans = PostProcessorReader.Read(root.Find("post_processor"), source),
            Truncation = Truncation.Read(root.Find("truncation"), source),
            Padding = Padding.Read(root.Find("padding"), source),
            Decoder = DecoderReader.Read(root.Find("decoder"), source),
        };
    }

    private static List<AddedToken> ReadAddedTokens(JsonElement root, string source)
    {
        var tokens = new List<AddedToken>();
        if (root.Find("added_tokens") is null) return tokens;
        foreach (var item in root.Items("added_tokens", source, "tokenizer"))
        {
            var part = $"added_tokens[{tokens.Count}]";
            item.Need("id", JsonValueKind.Number, source, part).Id(source, part);
            var special = item.Flag("special", false, source, part);
            tokens.Add(new AddedToken(
                item.Text("content", source, part),
                item.Flag("single_word", false, source, part),
                item.Flag("lstrip", false, source, part),
                item.Flag("rstrip", false, source, part),
                item.Flag("normalized", !special, source, part),
                special));
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

    private static AddedTokenMatcher Matcher(AddedVocabulary added, Func<AddedToken, bool> which, Func<AddedToken, byte[]> bytes, string source)
    {
        var entries = new List<(byte[], AddedToken, int, bool)>();
        foreach (var (token, id) in added.Matched.Where(entry => which(entry.Token)))
        {
            var its = bytes(token);
            if (its.Length == 0) throw new BadInputException(source, "added_tokens", $"normalization leaves nothing of \"{token.Content}\"");
            // A match is judged by the token that holds its id now.
            var holder = added.ById[id];
            entries.Add((its, holder, id, added.IsSpecial(holder.Content)));
        }
        return new AddedTokenMatcher(entries);
    }

    private static byte[] Normalize(NormalizerChain normalizer, string content, string source)
    {
        try
        {
            var opens = true;
            return normalizer.Apply(Encoding.UTF8.GetBytes(content), new NormalizerScratch(), ref opens).ToArray();
        }
        catch (PatternTooSlowException)
        {
            throw new BadInputException(source, "normalizer", $"its pattern needs too many steps on the added token \"{content}\"");
        }
    }
}
