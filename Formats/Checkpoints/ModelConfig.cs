using System.Text.Json;

namespace Quilt.Formats.Checkpoints;

/// <summary>
/// config.json as typed values. Each is read and checked when it is asked for, so that a file is judged by what its architecture needs of it;
/// unknown keys are kept and mean nothing. Ids of special tokens are not here: re-saved files carry wrong ones (<see cref="GenerationDefaults"/>).
/// Values out of range throw <see cref="BadInputException"/> with the key.
/// </summary>
public sealed class ModelConfig
{
    /// <summary>The usual file name.</summary>
    public const string FileName = "config.json";

    private const int MaxWidth = 1 << 20;
    private readonly ConfigJson json;
    private readonly Lazy<RopeConfig> rope;

    private ModelConfig(ConfigJson json, string modelType)
    {
        this.json = json;
        ModelType = modelType;
        rope = new(() => RopeConfig.Read(json, HeadDim));
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="BadInputException">Not a JSON object, or it has no model_type.</exception>
    public static ModelConfig Read(string path) => Parse(JsonText.ReadObject(path), path);

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
    public int Layers => json.Need("num_hidden_layers", 4096);

    /// <summary>Width of the residual stream.</summary>
    public int Hidden => json.Need("hidden_size", MaxWidth);

    /// <summary>Width inside one expert.</summary>
    public int ExpertHidden => json.Need("intermediate_size", MaxWidth);

    /// <summary>Query heads.</summary>
    public int Heads => json.Need("num_attention_heads", 65536);

    /// <summary>Key and value heads; divides <see cref="Heads"/>.</summary>
    public int KeyValueHeads
    {
        get
        {
            var heads = json.Need("num_key_value_heads", 65536);
            return Heads % heads == 0 ? heads : throw json.Bad("num_key_value_heads", $"expected a divisor of num_attention_heads ({Heads}), found {heads}");
        }
    }

    /// <summary>Width of a head; need not be Hidden / Heads.</summary>
    public int HeadDim => json.Need("head_dim", 65536);

    /// <summary>Leading values of a head that are rotated; even.</summary>
    public int RotaryDim => rope.Value.RotaryDim;

    /// <summary>Base of the rotation's frequencies.</summary>
    public double RopeTheta => rope.Value.Theta;

    /// <summary>True if the file names no base of the rotation, so that the family's is taken.</summary>
    public bool RopeThetaIsAssumed => rope.Value.ThetaIsAssumed;

    /// <summary>What is added to the mean square in a norm.</summary>
    public float NormEpsilon => (float)(json.Real("rms_norm_eps", 1e-20, 1) ?? throw json.Bad("rms_norm_eps", "is missing"));

    /// <summary>Routed experts in a layer.</summary>
    public int Experts => json.Need("num_local_experts", 65536);

    /// <summary>Experts a token goes to.</summary>
    public int ExpertsPerToken
    {
        get
        {
            var count = json.Need("num_experts_per_tok", 65536);
            return count <= Experts ? count : throw json.Bad("num_experts_per_tok", $"expected at most num_local_experts ({Experts}), found {count}");
        }
    }

    /// <summary>Rows of the embedding.</summary>
    public int VocabularySize => json.Need("vocab_size", 1 << 24);

    /// <summary>Longest sequence the model was made for.</summary>
    public int MaxPositions => json.Need("max_position_embeddings", 1 << 28);

    /// <summary>True if the head is the embedding.</summary>
    public bool TieEmbeddings => json.Flag("tie_word_embeddings") ?? false;

    /// <summary>The quantization_config as found; null where there is none.</summary>
    internal ConfigJson? Quantization => json.Object("quantization_config") ?? json.Object("compression_config");

    /// <summary>Refuses a text that is there and is not the only one supported.</summary>
    internal void Only(string key, string supported)
    {
        if (json.Find(key) is { } value && !(value.ValueKind == JsonValueKind.String && value.ValueEquals(supported)))
            throw json.Bad(key, $"expected \"{supported}\", the only kind supported, found {ConfigJson.Short(value)}");
    }

    /// <inheritdoc cref="Only(string, string)"/>
    internal void Only(string key, bool supported)
    {
        if ((json.Flag(key) ?? supported) != supported) throw json.Bad(key, $"expected {(supported ? "true" : "false")}, the only kind supported, found {(supported ? "false" : "true")}");
    }

    /// <inheritdoc cref="Only(string, string)"/>
    internal void Only(string key, long supported)
    {
        if ((json.Whole(key, long.MinValue, long.MaxValue) ?? supported) is var found && found != supported) throw json.Bad(key, $"expected {supported}, the only value supported, found {found}");
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
