using System.Text.Json;

namespace Quilt.Formats.Checkpoints;

/// <summary>
/// config.json as typed values. Each is read and checked when it is asked for, so that a file is judged by what its architecture needs of it;
/// unknown keys are kept and mean nothing. Values out of range throw <see cref="BadInputException"/> with the key.
/// </summary>
public sealed class ModelConfig
{
    /// <summary>The usual file name.</summary>
    public const string FileName = "config.json";

    private readonly ConfigJson json;

    private ModelConfig(ConfigJson json, string modelType) => (this.json, ModelType) = (json, modelType);

    /// <summary>Reads a file.</summary>
    /// <exception cref="BadInputException">Not a JSON object, or it has no model_type.</exception>
    public static ModelConfig Read(string path) => Parse(JsonText.ReadSettings(path), path);

    internal static ModelConfig Parse(JsonElement root, string source)
    {
        var json = new ConfigJson(root, source);
        return new ModelConfig(json, json.Text("model_type") ?? throw json.Bad("model_type", "is missing; expected the architecture's name"));
    }

    /// <summary>The file.</summary>
    public string Source => json.Source;

    /// <summary>The whole file.</summary>
    public JsonElement Json => json.Element;

    /// <summary>Name of the architecture, e.g. minimax_m2.</summary>
    public string ModelType { get; }

    /// <summary>Decoder layers; multi-token-prediction layers are not among them.</summary>
    public int Layers => json.Need("num_hidden_layers", SizeLimits.Layers);

    /// <summary>Width of the residual stream.</summary>
    public int Hidden => json.Need("hidden_size", SizeLimits.Width);

    /// <summary>Width inside the feed-forward; inside one expert, in families that have nothing but experts.</summary>
    public int Intermediate => json.Need("intermediate_size", SizeLimits.Width);

    /// <summary>Query heads.</summary>
    public int Heads => json.Need("num_attention_heads", SizeLimits.Heads);

    /// <summary>Key and value heads; divides <see cref="Heads"/>.</summary>
    public int KeyValueHeads
    {
        get
        {
            var heads = json.Need("num_key_value_heads", SizeLimits.Heads);
            return Heads % heads == 0
                ? heads
                : throw json.Bad("num_key_value_heads", $"expected a divisor of num_attention_heads ({Heads}), found {heads}");
        }
    }

    /// <summary>Key and value heads of a family whose older files leave them out: then there are as many as <see cref="Heads"/>.</summary>
    internal int KeyValueHeadsOrHeads => json.Find("num_key_value_heads") is null ? Heads : KeyValueHeads;

    /// <summary>Width of a head; need not be Hidden / Heads.</summary>
    public int HeadDim => json.Need("head_dim", SizeLimits.HeadDim);

    /// <summary>Width of a head of a family whose files may leave it out: then it is Hidden / Heads.</summary>
    internal int HeadDimOrShare
    {
        get
        {
            if (json.Find("head_dim") is not null) return HeadDim;
            if (Hidden % Heads != 0)
                throw json.Bad("num_attention_heads", $"expected a divisor of hidden_size ({Hidden}) where head_dim is not given, found {Heads}");
            return Hidden / Heads <= SizeLimits.HeadDim
                ? Hidden / Heads
                : throw json.Bad("num_attention_heads",
                    $"expected hidden_size ({Hidden}) in heads of at most {SizeLimits.HeadDim} values where head_dim is not given, " +
                    $"found {Heads} heads");
        }
    }

    /// <summary>How heads of a width are rotated.</summary>
    internal RopeConfig Rope(int headDim, RopeDefaults defaults) => RopeConfig.Read(json, headDim, defaults);

    /// <summary>What is added to the mean square in a norm.</summary>
    public float NormEpsilon => (float)(json.Real("rms_norm_eps", 1e-20, 1) ?? throw json.Bad("rms_norm_eps", "is missing"));

    /// <summary>Routed experts in a layer; families call them num_local_experts, num_experts or n_routed_experts.</summary>
    public int Experts => json.Need(ExpertsKey, SizeLimits.Experts);

    /// <summary>Experts a token goes to.</summary>
    public int ExpertsPerToken
    {
        get
        {
            var count = json.Need("num_experts_per_tok", SizeLimits.ExpertsPerToken);
            return count <= Experts ? count : throw json.Bad("num_experts_per_tok", $"expected at most {ExpertsKey} ({Experts}), found {count}");
        }
    }

    private string ExpertsKey
    {
        get
        {
            string[] keys = ["num_local_experts", "num_experts", "n_routed_experts"];
            var given = keys.Where(key => json.Find(key) is not null).ToArray();
            if (given.Length == 0) return keys[0];
            foreach (var key in given)
            {
                var (found, first) = (json.Need(key, SizeLimits.Experts), json.Need(given[0], SizeLimits.Experts));
                if (found != first) throw json.Bad(key, $"is {found}, but {given[0]} is {first}; expected the same");
            }
            return given[0];
        }
    }

    /// <summary>Rows of the embedding.</summary>
    public int VocabularySize => json.Need("vocab_size", SizeLimits.Vocabulary);

    /// <summary>Longest sequence the model was made for.</summary>
    public int MaxPositions => json.Need("max_position_embeddings", SizeLimits.Positions);

    /// <summary>
    /// Ids that end a reply. Re-saved files carry wrong ones: they count only where nothing else says (<see cref="Checkpoint.EndTokens"/>).
    /// </summary>
    internal IReadOnlyList<int> EndTokens => json.Ids("eos_token_id");

    /// <summary>True if the head is the embedding.</summary>
    public bool TieEmbeddings => json.Flag("tie_word_embeddings") ?? false;

    /// <summary>The quantization_config as found; null where there is none.</summary>
    internal ConfigJson? Quantization => json.Object("quantization_config") ?? json.Object("compression_config");

    /// <summary>A width or count of one family that must be there, 1 or more.</summary>
    internal int Need(string key) => json.Need(key, SizeLimits.Width);

    /// <summary>A count of one family, 0 or more.</summary>
    internal int Count(string key, int otherwise) => (int)(json.Whole(key, 0, SizeLimits.Width) ?? otherwise);

    /// <summary>A width that is the product of two, e.g. of several experts side by side.</summary>
    internal int Product(string key, int width, string countKey, int count) => (long)width * count <= SizeLimits.Width
        ? width * count
        : throw json.Bad($"{key} x {countKey}", $"expected at most {SizeLimits.Width}, found {width} x {count} = {(long)width * count}");

    /// <summary>A number of one family, more than 0.</summary>
    internal float Real(string key, double otherwise) => (float)(json.Real(key, 1e-6, 1e9) ?? otherwise);

    /// <summary>A switch of one family.</summary>
    internal bool Flag(string key, bool otherwise) => json.Flag(key) ?? otherwise;

    /// <summary>Whether a key is there and not null.</summary>
    internal bool Has(string key) => json.Find(key) is not null;

    /// <summary>Numbers of layers; empty where there are none.</summary>
    internal IReadOnlySet<int> LayerSet(string key)
    {
        var layers = json.List(key);
        if (layers.Count > Layers) throw json.Bad(key, $"expected at most {Layers} entries, one a layer, found {layers.Count}");
        return layers.Select(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var whole)
            ? whole
            : throw json.Bad(key, $"expected whole numbers, found {ConfigJson.Short(item)}")).ToHashSet();
    }

    /// <summary>
    /// For each layer, how many positions a token sees, its own included: sliding_window in layers that slide, else all (<see cref="int.MaxValue"/>).
    /// layer_types says which do; where it is missing <paramref name="slides"/> does.
    /// </summary>
    /// <param name="enabled">Whether any layer may slide: a layer_types that says otherwise is refused.</param>
    /// <param name="slides">The family's rule.</param>
    internal int[] Windows(bool enabled, Func<int, bool> slides)
    {
        var windows = new int[Layers];
        var types = json.Texts("layer_types");
        if (Has("layer_types") && types.Count != windows.Length)
            throw json.Bad("layer_types", $"expected {windows.Length} entries, one a layer, found {types.Count}");
        for (var layer = 0; layer < windows.Length; layer++)
        {
            var sliding = types.Count == 0 ? enabled && slides(layer) : types[layer] switch
            {
                "full_attention" => false,
                "sliding_attention" when enabled => true,
                var other =>
                    throw json.Bad("layer_types",
                        $"expected \"full_attention\"{(enabled ? " or \"sliding_attention\"" : "")}, the kinds supported here, found \"{other}\""),
            };
            windows[layer] = sliding ? json.Need("sliding_window", SizeLimits.Positions) : int.MaxValue;
        }
        return windows;
    }

    /// <summary>A complaint about a key.</summary>
    internal BadInputException Bad(string key, string problem) => json.Bad(key, problem);

    /// <summary>Refuses a key that is there and not null.</summary>
    internal void None(string key)
    {
        if (json.Find(key) is { } value) throw json.Bad(key, $"expected null, the only value supported, found {ConfigJson.Short(value)}");
    }

    /// <summary>Refuses a text that is there and is not the only one supported.</summary>
    internal void Only(string key, string supported)
    {
        if (json.Find(key) is { } value && !(value.ValueKind == JsonValueKind.String && json.Text(key) == supported))
            throw json.Bad(key, $"expected \"{supported}\", the only kind supported, found {ConfigJson.Short(value)}");
    }

    /// <inheritdoc cref="Only(string, string)"/>
    internal void Only(string key, bool supported)
    {
        if ((json.Flag(key) ?? supported) != supported)
            throw json.Bad(key, $"expected {(supported ? "true" : "false")}, the only kind supported, found {(supported ? "false" : "true")}");
    }

    /// <inheritdoc cref="Only(string, string)"/>
    internal void Only(string key, long supported)
    {
        if ((json.Whole(key, long.MinValue, long.MaxValue) ?? supported) is var found && found != supported)
            throw json.Bad(key, $"expected {supported}, the only value supported, found {found}");
    }

    /// <summary>Refuses a list that is there and is not <paramref name="count"/> times the only value supported.</summary>
    internal void OnlyEach(string key, long supported, int count)
    {
        if (json.Find(key) is null) return;
        var items = json.List(key);
        if (items.Count != count) throw json.Bad(key, $"expected {count} entries, one a layer, found {items.Count}");
        foreach (var item in items)
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out var value) || value != supported)
                throw json.Bad(key, $"expected {supported} for every layer, the only kind supported, found {ConfigJson.Short(item)}");
        }
    }
}
