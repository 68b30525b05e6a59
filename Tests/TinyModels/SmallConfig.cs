using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Formats.Checkpoints;

namespace Quilt.Tests.TinyModels;

/// <summary>A small config.json of any architecture that runs.</summary>
internal static class SmallConfig
{
    /// <summary>The config of an architecture.</summary>
    public static JsonObject Of(string name)
    {
        var config = new JsonObject
        {
            ["model_type"] = name, ["num_hidden_layers"] = 4, ["hidden_size"] = 64, ["num_attention_heads"] = 4, ["num_key_value_heads"] = 2,
            ["head_dim"] = 16,
            ["intermediate_size"] = 48, ["moe_intermediate_size"] = 24, ["num_experts_per_tok"] = 2, ["rms_norm_eps"] = 1e-5, ["vocab_size"] = 100,
            ["max_position_embeddings"] = 4096,
        };
        config[name switch { "qwen3_moe" or "olmoe" => "num_experts", "glm4_moe" => "n_routed_experts", _ => "num_local_experts" }] = 8;
        if (name == "gpt_oss") config["sliding_window"] = 16;
        if (name == "minimax_m2") config["rotary_dim"] = 8;
        return config;
    }

    /// <summary>A config as if it were read from a file.</summary>
    public static ModelConfig Parse(JsonObject config)
    {
        using var document = JsonDocument.Parse(config.ToJsonString());
        return ModelConfig.Parse(document.RootElement.Clone(), "config.json");
    }
}
