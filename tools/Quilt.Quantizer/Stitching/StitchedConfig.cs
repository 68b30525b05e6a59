using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;

namespace Quilt.Quantizer.Stitching;

/// <summary>
/// config.json of FP8 attention beside packed experts: the official one with a quantization_config that transformers, vLLM and this runtime resolve
/// alike. Attention has expressions of its own, which are tried before class names; "Linear" is there for vLLM's fused experts, which go by no name.
/// </summary>
internal static class StitchedConfig
{
    private const string Attention = @"re:.*self_attn\.(q_proj|k_proj|v_proj|o_proj|qkv_proj)$";
    private const string Experts = @"re:.*block_sparse_moe\.experts\.\d+\.(w1|w2|w3)$";
    private const string RenamedExperts = @"re:.*mlp\.experts\.\d+\.(gate_proj|up_proj|down_proj)$";

    /// <summary>Writes the file.</summary>
    /// <param name="path">Where.</param>
    /// <param name="official">The official config.json; its keys keep their order.</param>
    /// <param name="block">Rows and columns of a block of the official FP8 weights.</param>
    /// <param name="experts">How the experts are stored.</param>
    public static void Write(string path, ModelConfig official, (int Rows, int Columns) block, ExpertCodes experts) =>
        AtomicFile.Write(path, stream =>
        {
            using var writer = new Utf8JsonWriter(stream,
                new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
            writer.WriteStartObject();
            foreach (var property in official.Json.EnumerateObject())
            {
                if (property.Name is not ("quantization_config" or "compression_config")) property.WriteTo(writer);
            }
            writer.WritePropertyName("quantization_config");
            Quantization(block, experts).WriteTo(writer);
            writer.WriteEndObject();
            writer.Flush();
            stream.WriteByte((byte)'\n');
        });

    private static JsonObject Quantization((int Rows, int Columns) block, ExpertCodes experts) => new()
    {
        ["config_groups"] = new JsonObject
        {
            ["group_0"] = Group("float-quantized", [Attention], Arguments(8, "float", "block") with { Block = block },
                Arguments(8, "float", "group") with { GroupSize = block.Columns, Dynamic = true, Observer = null }),
            ["group_1"] = Group("pack-quantized", ["Linear", Experts, RenamedExperts],
                Arguments(experts.Bits, "int", experts.GroupSize is null ? "channel" : "group") with
                {
                    GroupSize = experts.GroupSize, Symmetric = experts.Symmetric, ActOrder = experts.Reordered ? "group" : null,
                }, null),
        },
        ["format"] = "mixed-precision",
        ["global_compression_ratio"] = null,
        ["ignore"] = new JsonArray("lm_head", @"re:.*block_sparse_moe\.gate$", @"re:.*mlp\.gate$"),
        ["kv_cache_scheme"] = null,
        ["quant_method"] = "compressed-tensors",
        ["quantization_status"] = "compressed",
        ["sparsity_config"] = new JsonObject(),
        ["transform_config"] = new JsonObject(),
        ["version"] = "0.13.0",
    };

    private static JsonObject Group(string format, string[] targets, QuantArguments weights, QuantArguments? inputs) => new()
    {
        ["format"] = format,
        ["input_activations"] = inputs?.ToJson(),
        ["output_activations"] = null,
        ["targets"] = new JsonArray([.. targets.Select(target => JsonValue.Create(target))]),
        ["weights"] = weights.ToJson(),
    };

    private static QuantArguments Arguments(int bits, string type, string strategy) => new(bits, type, strategy);

    // compressed-tensors' QuantizationArgs, every key of it.
    private sealed record QuantArguments(int Bits, string Type, string Strategy)
    {
        public (int Rows, int Columns)? Block { get; init; }

        public int? GroupSize { get; init; }

        public bool Dynamic { get; init; }

        public bool Symmetric { get; init; } = true;

        public string? ActOrder { get; init; }

        public string? Observer { get; init; } = "memoryless_minmax";

        public JsonObject ToJson() => new()
        {
            ["actorder"] = ActOrder,
            ["block_structure"] = Block is { } block ? new JsonArray(block.Rows, block.Columns) : null,
            ["dynamic"] = Dynamic,
            ["group_size"] = GroupSize,
            ["num_bits"] = Bits,
            ["observer"] = Observer,
            ["observer_kwargs"] = new JsonObject(),
            ["strategy"] = Strategy,
            ["symmetric"] = Symmetric,
            ["type"] = Type,
        };
    }
}
