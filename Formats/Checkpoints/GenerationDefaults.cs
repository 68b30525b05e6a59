using System.Text.Json;

namespace Quilt.Formats.Checkpoints;

/// <summary>
/// What a checkpoint asks for when nothing else is said: generation_config.json, and the end-of-text token of tokenizer_config.json where that file
/// names none. Both files may be missing. Values are checked; null means not given.
/// </summary>
public sealed record GenerationDefaults
{
    private const string FileName = "generation_config.json";

    /// <summary>Ids that end a reply, from generation_config.json's eos_token_id (a number or a list).</summary>
    public IReadOnlyList<int> EndTokens { get; private init; } = [];

    /// <summary>The text of tokenizer_config.json's eos_token.</summary>
    public string? EndTokenText { get; private init; }

    /// <summary>False: the most likely token is taken.</summary>
    public bool? DoSample { get; private init; }

    /// <summary>Sampling temperature, ≥ 0.</summary>
    public double? Temperature { get; private init; }

    /// <summary>Nucleus, in (0, 1].</summary>
    public double? TopP { get; private init; }

    /// <summary>Tokens that stay in the draw; 0 or −1: all.</summary>
    public int? TopK { get; private init; }

    /// <summary>Least share of the most likely token's probability, 0 to 1.</summary>
    public double? MinP { get; private init; }

    /// <summary>Divides logits of tokens seen, &gt; 0.</summary>
    public double? RepetitionPenalty { get; private init; }

    /// <summary>Longest reply in tokens.</summary>
    public int? MaxNewTokens { get; private init; }

    /// <summary>Reads what the folder has.</summary>
    /// <exception cref="BadInputException">A file is no JSON object or a value is out of range.</exception>
    public static GenerationDefaults Read(string folder)
    {
        var defaults = new GenerationDefaults();
        var path = Path.Combine(folder, FileName);
        if (File.Exists(path))
        {
            var json = new ConfigJson(JsonText.ReadSettings(path), path);
            defaults = new GenerationDefaults
            {
                EndTokens = Ids(json, "eos_token_id"),
                DoSample = json.Flag("do_sample"),
                Temperature = json.Real("temperature", 0, 1e6),
                TopP = json.Real("top_p", 1e-9, 1),
                TopK = (int?)json.Whole("top_k", -1, int.MaxValue),
                MinP = json.Real("min_p", 0, 1),
                RepetitionPenalty = json.Real("repetition_penalty", 1e-6, 1e6),
                MaxNewTokens = (int?)json.Whole("max_new_tokens", 1, int.MaxValue),
            };
        }
        path = Path.Combine(folder, "tokenizer_config.json");
        return File.Exists(path) ? defaults with
        { EndTokenText = TokenText(new ConfigJson(JsonText.ReadSettings(path), path), "eos_token") } : defaults;
    }

    private static int[] Ids(ConfigJson json, string key)
    {
        if (json.Find(key) is not { } value) return [];
        if (value.ValueKind != JsonValueKind.Array) return [(int)json.Whole(key, 0, int.MaxValue)!.Value];
        return [.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var id) && id >= 0 ? id
            : throw json.Bad(key, $"expected a list of token ids, found {ConfigJson.Short(item)} in it"))];
    }

    // A special token is written as its text or as an object with its flags.
    private static string? TokenText(ConfigJson json, string key) => json.Find(key) switch
    {
        { ValueKind: JsonValueKind.Object } => json.Object(key)!.Value.Text("content"),
        { ValueKind: JsonValueKind.String } => json.Text(key),
        _ => null,
    };
}
