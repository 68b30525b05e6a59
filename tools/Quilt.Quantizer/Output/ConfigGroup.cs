using System.Text.Json.Nodes;
using Quilt.Quantizer.Recipes;

namespace Quilt.Quantizer.Output;

/// <summary>A group of quantization_config.</summary>
/// <param name="Weights">How its weights are stored.</param>
/// <param name="Inputs">What it says of activations; null: they stay as they are.</param>
internal sealed record ConfigGroup(WeightScheme Weights, JsonObject? Inputs)
{
    /// <summary>What the library calls the way of storing.</summary>
    public string Format => Weights.IsFloat ? "float-quantized" : "pack-quantized";

    /// <summary>The group for its modules.</summary>
    public JsonObject ToJson(IReadOnlyList<string> targets) => new()
    {
        ["format"] = Format,
        ["input_activations"] = Inputs?.DeepClone(),
        ["output_activations"] = null,
        ["targets"] = Texts(targets),
        ["weights"] = new JsonObject
        {
            ["actorder"] = null,
            ["block_structure"] = Weights.Strategy == ScaleStrategy.Block ? new JsonArray(Weights.BlockRows, Weights.BlockColumns) : null,
            ["dynamic"] = false,
            ["group_size"] = Weights.Strategy == ScaleStrategy.Group ? Weights.GroupSize : null,
            ["num_bits"] = Weights.Bits,
            ["observer"] = "memoryless_minmax",
            ["observer_kwargs"] = new JsonObject(),
            ["scale_dtype"] = null,
            ["strategy"] = Weights.Strategy.ToString().ToLowerInvariant(),
            ["symmetric"] = Weights.Symmetric,
            ["type"] = Weights.IsFloat ? "float" : "int",
            ["zp_dtype"] = Weights.Symmetric ? null : "torch.int8",
        },
    };

    /// <summary>Texts as JSON.</summary>
    public static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode?)text)]);
}
