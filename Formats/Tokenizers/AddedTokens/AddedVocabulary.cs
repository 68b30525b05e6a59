namespace Quilt.Formats.Tokenizers.AddedTokens;

/// <summary>The added tokens of a file and the ids they get, which are not always those the file states.</summary>
internal sealed class AddedVocabulary
{
    private readonly Dictionary<string, int> ids = [];
    private readonly Dictionary<int, AddedToken> byId = [];
    private readonly HashSet<string> special = [];

    /// <param name="tokens">In the order of the file.</param>
    /// <param name="model">The model's own tokens.</param>
    /// <param name="modelCount">How many tokens the model has; not its highest id.</param>
    public AddedVocabulary(IReadOnlyList<AddedToken> tokens, IReadOnlyDictionary<string, int> model, int modelCount)
    {
        List<AddedToken> specials = [], others = [];
        foreach (var token in tokens)
            if (token.Special && token.Content.Length > 0 && special.Add(token.Content)) specials.Add(token);
        var highest = -1;
        foreach (var token in tokens)
        {
            if (token.Content.Length == 0 || ids.ContainsKey(token.Content)) continue;
            // The library numbers by itself: a stated id counts for a token of the model only, the others follow the model's count.
            var id = model.TryGetValue(token.Content, out var known) ? known
                : highest >= modelCount || modelCount == 0 && highest >= 0 ? highest + 1 : modelCount;
            ids[token.Content] = id;
            byId[id] = token;
            highest = Math.Max(highest, id);
            if (!special.Contains(token.Content)) others.Add(token);
        }
        Matched = [.. specials.Concat(others).Select(token => (token, ids[token.Content]))];
    }

    /// <summary>What is looked for in a text, in order of precedence.</summary>
    public IReadOnlyList<(AddedToken Token, int Id)> Matched { get; }

    /// <summary>Ids by text.</summary>
    public IReadOnlyDictionary<string, int> Ids => ids;

    /// <summary>Tokens by id.</summary>
    public IReadOnlyDictionary<int, AddedToken> ById => byId;

    /// <summary>Whether a token of this text is special.</summary>
    public bool IsSpecial(string content) => special.Contains(content);
}
