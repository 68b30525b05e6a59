using System.Globalization;
using System.Text.Json;
using Quilt.Formats.Checkpoints;

namespace Quilt.Formats.Tokenizers.AddedTokens;

/// <summary>
/// The tokens that the files beside a tokenizer.json speak of: tokenizer_config.json and, where that has no added_tokens_decoder, the older
/// special_tokens_map.json and added_tokens.json. What is read and what is added is what transformers does (tokenization_utils_base.py,
/// <c>_from_pretrained</c>, and <c>TokenizersBackend</c> of tokenization_utils_tokenizers.py, version 5).
/// </summary>
internal sealed class FolderTokens
{
    private const string ConfigName = "tokenizer_config.json";
    private const string MapName = "special_tokens_map.json";
    private const string OlderName = "added_tokens.json";
    private const string ListKey = "added_tokens_decoder";

    // In the order in which they are added.
    private static readonly string[] Roles = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];
    private static readonly string[] ExtraKeys = ["additional_special_tokens", "extra_special_tokens"];

    private readonly Dictionary<string, AddedToken> roles = new(StringComparer.Ordinal);
    private readonly List<AddedToken> extra = [];
    private readonly Dictionary<int, AddedToken> listed = [];
    private readonly bool hasList;

    private FolderTokens(ConfigJson? config, string folder)
    {
        Settings = config;
        hasList = config?.Find(ListKey) is not null;
        if (config is { } json) ReadSpecial(json);
        if (hasList) ReadList(config!.Value.Object(ListKey)!.Value, (list, key, value) => AddedTokenJson.Read(list, key, value, special: false));
        if (hasList) return;
        if (Open(folder, MapName) is { } map) ReadSpecial(map);
        if (Open(folder, OlderName) is { } older) ReadOlder(older);
    }

    /// <summary>tokenizer_config.json; null where there is none.</summary>
    public ConfigJson? Settings { get; }

    /// <summary>The file that states the numbers in <see cref="Listed"/>.</summary>
    public string ListSource { get; private set; } = ConfigName;

    /// <summary>Tokens with the numbers that the files state.</summary>
    public IReadOnlyDictionary<int, AddedToken> Listed => listed;

    /// <summary>The text of the token that ends a reply; null where the files name none.</summary>
    public string? End => roles.GetValueOrDefault("eos_token")?.Content;

    /// <summary>Texts of tokens by their role, e.g. bos_token.</summary>
    public IEnumerable<KeyValuePair<string, string>> Texts => roles.Select(role => KeyValuePair.Create(role.Key, role.Value.Content));

    /// <summary>Reads what a folder has.</summary>
    /// <exception cref="BadInputException">A file is no JSON object, or what it says of a token is not understood.</exception>
    public static FolderTokens Read(string folder) => new(Open(folder, ConfigName), folder);

    /// <summary>
    /// What is added to a tokenizer after the tokens of its own file, in this order: the listed ones by their numbers, whose flags win over the
    /// file's; those with a role; the extra ones. The latter two only if their text is no added token yet.
    /// </summary>
    /// <param name="own">The added tokens of tokenizer.json with the numbers stated there.</param>
    public IReadOnlyList<AddedToken> ToAdd(IEnumerable<(int Id, AddedToken Token)> own)
    {
        var file = own.ToList();
        var numbered = new SortedDictionary<int, AddedToken>(listed);
        if (!hasList)
        {
            foreach (var (id, token) in file) numbered[id] = token;
        }
        var known = new HashSet<string>(file.Select(entry => entry.Token.Content).Concat(numbered.Values.Select(token => token.Content)),
            StringComparer.Ordinal);
        var special = roles.Values.Concat(extra).Where(token => known.Add(token.Content)).ToList();
        var named = roles.Values.Select(token => token.Content).ToHashSet(StringComparer.Ordinal);
        return [.. numbered.Values.Select(token => named.Contains(token.Content) ? token with { Special = true } : token), .. special];
    }

    private void ReadSpecial(ConfigJson json)
    {
        foreach (var role in Roles.Concat(json.Element.EnumerateObject().Select(property => property.Name)
            .Where(name => name.EndsWith("_token", StringComparison.Ordinal) && !Roles.Contains(name)).Distinct()))
        {
            // Settings such as add_bos_token end alike and are no texts.
            if (json.Find(role) is { ValueKind: JsonValueKind.String or JsonValueKind.Object } value) SetRole(json, role, value);
        }
        foreach (var key in ExtraKeys)
        {
            switch (json.Find(key))
            {
                case null:
                    break;
                case { ValueKind: JsonValueKind.Object }:
                    var own = json.Object(key)!.Value;
                    foreach (var role in own.Element.EnumerateObject()) SetRole(own, role.Name, role.Value);
                    break;
                default:
                    foreach (var item in json.List(key))
                    {
                        if (AddedTokenJson.Read(json, key, item, special: true) is { } token) extra.Add(token with { Special = true });
                    }
                    break;
            }
        }
    }

    private void SetRole(ConfigJson json, string role, JsonElement value)
    {
        if (AddedTokenJson.Read(json, role, value, special: true) is { } token) roles[role] = token with { Special = true };
    }

    private void ReadList(ConfigJson list, Func<ConfigJson, string, JsonElement, AddedToken?> read)
    {
        foreach (var entry in list.Element.EnumerateObject())
        {
            if (!int.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var id) || id >= TokenizerReader.IdLimit)
                throw list.Bad(entry.Name, $"expected a token's number from 0 to {TokenizerReader.IdLimit - 1} as key");
            listed[id] = read(list, entry.Name, list.Find(entry.Name) ?? entry.Value)
                ?? throw list.Bad(entry.Name, "expected a token, found null");
        }
    }

    // Texts with their numbers, and nothing of their flags: those with a role are special.
    private void ReadOlder(ConfigJson json)
    {
        ListSource = OlderName;
        var special = roles.Values.Concat(extra).Select(token => token.Content).ToHashSet(StringComparer.Ordinal);
        foreach (var entry in json.Element.EnumerateObject())
        {
            var id = (int)(json.Whole(entry.Name, 0, TokenizerReader.IdLimit - 1)
                ?? throw json.Bad(entry.Name, "expected a token's number, found null"));
            listed[id] = AddedTokenJson.Plain(entry.Name, special.Contains(entry.Name));
        }
    }

    private static ConfigJson? Open(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        return File.Exists(path) ? new ConfigJson(JsonText.ReadSettings(path), path) : null;
    }
}
