namespace Quilt.Formats.Tokenizers.AddedTokens;

/// <summary>
/// The added tokens of a tokenizer and the ids they get, which are not always those its files state. Tokens come in lists, and each list is numbered
/// as the library does (tokenizers 0.23, added_vocabulary.rs): a token that has an id keeps it; the new ones of a list are counted up from the
/// model's number of tokens, or from behind the highest id of an added token if that is not below it. Ids of the model do not move the count.
/// </summary>
/// <param name="model">The model's own tokens.</param>
/// <param name="modelCount">How many tokens the model has; not its highest id.</param>
/// <param name="normalize">What the tokenizer's normalizer makes of a text.</param>
internal sealed class AddedVocabulary(IReadOnlyDictionary<string, int> model, int modelCount, Func<string, string> normalize)
{
    private readonly Dictionary<string, int> ids = new(StringComparer.Ordinal);
    private readonly Dictionary<int, AddedToken> byId = [];
    private readonly Dictionary<int, string> texts = [];
    private readonly HashSet<string> special = new(StringComparer.Ordinal);

    /// <summary>Ids by text.</summary>
    public IReadOnlyDictionary<string, int> Ids => ids;

    /// <summary>Tokens by id; of two entries with one text the last.</summary>
    public IReadOnlyDictionary<int, AddedToken> ById => byId;

    /// <summary>Adds a list. Empty texts count for nothing.</summary>
    public void Add(IEnumerable<AddedToken> tokens)
    {
        var highest = byId.Count == 0 ? -1 : byId.Keys.Max();
        var next = Math.Max(highest + 1, modelCount);
        foreach (var token in tokens)
        {
            if (token.Content.Length == 0) continue;
            var known = ids.TryGetValue(token.Content, out var id) || model.TryGetValue(token.Content, out id);
            if (!known) id = next++;
            // What is decoded for a token once looked for in normalized text stays, whatever a later entry says.
            if (token.Normalized && normalize(token.Content) is var text && text != token.Content) texts[id] = text;
            if (token.Special) special.Add(token.Content);
            ids[token.Content] = id;
            byId[id] = token;
        }
    }

    /// <summary>Whether a token of this text is special: once it is, it stays so.</summary>
    public bool IsSpecial(string content) => special.Contains(content);

    /// <summary>What an added token is decoded to, and looked for as if it is looked for in normalized text.</summary>
    public string Text(int id) => texts.GetValueOrDefault(id) ?? byId[id].Content;
}
