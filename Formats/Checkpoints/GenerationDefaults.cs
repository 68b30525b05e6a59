namespace Quilt.Formats.Checkpoints;

/// <summary>
/// What a checkpoint asks for when nothing else is said: generation_config.json, which may be missing. Values are checked; null means not given.
/// </summary>
public sealed record GenerationDefaults
{
    private const string FileName = "generation_config.json";

    /// <summary>Ids that end a reply, from generation_config.json's eos_token_id (a number or a list).</summary>
    public IReadOnlyList<int> EndTokens { get; private init; } = [];

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
    /// <exception cref="BadInputException">The file is no JSON object or a value is out of range.</exception>
    public static GenerationDefaults Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return new GenerationDefaults();
        var json = new ConfigJson(JsonText.ReadSettings(path), path);
        return new GenerationDefaults
        {
            EndTokens = json.Ids("eos_token_id"),
            DoSample = json.Flag("do_sample"),
            Temperature = json.Real("temperature", 0, 1e6),
            TopP = json.Real("top_p", 1e-9, 1),
            TopK = (int?)json.Whole("top_k", -1, int.MaxValue),
            MinP = json.Real("min_p", 0, 1),
            RepetitionPenalty = json.Real("repetition_penalty", 1e-6, 1e6),
            MaxNewTokens = (int?)json.Whole("max_new_tokens", 1, int.MaxValue),
        };
    }
}
