using System.Text.Json.Nodes;

namespace Quilt.Cli.Synth;

/// <summary>
/// config.json and generation_config.json of a random checkpoint: MiniMax-M2.5's keys and, for quantized formats, the targets that every loader
/// resolves alike.
/// </summary>
internal static class SynthConfig
{
    private const string Attention = "re:.*self_attn\\.(q_proj|k_proj|v_proj|o_proj|qkv_proj)$";

    /// <summary>config.json.</summary>
    public static JsonObject Model(SynthShape shape, SynthFormat format)
    {
        var config = new JsonObject
        {
            ["architectures"] = Texts("MiniMaxM2ForCausalLM"),
            ["model_type"] = "minimax_m2",
            ["attn_type_list"] = new JsonArray([.. Enumerable.Range(0, shape.Layers).Select(_ => (JsonNode)1)]),
            ["head_dim"] = shape.HeadDim,
            ["hidden_act"] = "silu",
            ["hidden_size"] = shape.Hidden,
            ["intermediate_size"] = shape.ExpertHidden,
            ["max_position_embeddings"] = 196608,
            ["num_attention_heads"] = shape.Heads,
            ["num_experts_per_tok"] = shape.ExpertsPerToken,
            ["num_hidden_layers"] = shape.Layers,
            ["num_key_value_heads"] = shape.KeyValueHeads,
            ["num_local_experts"] = shape.Experts,
            ["qk_norm_type"] = "per_layer",
            ["rms_norm_eps"] = 1e-6,
            ["rope_theta"] = 5000000,
            ["rotary_dim"] = shape.RotaryDim,
            ["scoring_func"] = "sigmoid",
            ["shared_intermediate_size"] = 0,
            ["tie_word_embeddings"] = false,
            ["torch_dtype"] = "bfloat16",
            ["use_cache"] = true,
            ["use_qk_norm"] = true,
            ["use_routing_bias"] = true,
            ["vocab_size"] = shape.Vocabulary,
        };
        if (Quantization(format) is { } quantization) config["quantization_config"] = quantization;
        return config;
    }

    /// <summary>generation_config.json, with ids inside the vocabulary.</summary>
    public static JsonObject Generation(SynthShape shape) => new()
    {
        ["bos_token_id"] = Math.Min(200019, Math.Max(0, shape.Vocabulary - 2)),
        ["do_sample"] = true,
        ["eos_token_id"] = Math.Min(200020, shape.Vocabulary - 1),
        ["temperature"] = 1.0,
        ["top_k"] = 40,
        ["top_p"] = 0.95,
    };

    private static JsonObject? Quantization(SynthFormat format) => format switch
    {
        SynthFormat.Fp8 => new JsonObject
        {
            ["activation_scheme"] = "dynamic",
            ["fmt"] = "float8_e4m3fn",
            ["quant_method"] = "fp8",
            ["weight_block_size"] = new JsonArray(128, 128),
            ["modules_to_not_convert"] = Texts("gate", "e_score_correction_bias", "lm_head"),
        },
        SynthFormat.Fp8Int4 => Compressed("mixed-precision", new() { ["group_0"] = Fp8Group(), ["group_1"] = Int4Group() }),
        SynthFormat.Bf16Int4 => Compressed("pack-quantized", new() { ["group_0"] = Int4Group() }, Attention),
        _ => null,
    };

    private static JsonObject Compressed(string format, JsonObject groups, params string[] ignoreToo) => new()
    {
        ["quant_method"] = "compressed-tensors",
        ["format"] = format,
        ["quantization_status"] = "compressed",
        ["config_groups"] = groups,
        ["ignore"] = Texts(["lm_head", "re:.*block_sparse_moe\\.gate$", "re:.*mlp\\.gate$", .. ignoreToo]),
        ["kv_cache_scheme"] = null,
        ["global_compression_ratio"] = null,
    };

    private static JsonObject Fp8Group() => new()
    {
        ["targets"] = Texts(Attention),
        ["weights"] = new JsonObject { ["num_bits"] = 8, ["type"] = "float", ["symmetric"] = true, ["strategy"] = "block",
            ["block_structure"] = new JsonArray(128, 128), ["dynamic"] = false },
        ["input_activations"] = new JsonObject
        { ["num_bits"] = 8, ["type"] = "float", ["symmetric"] = true, ["strategy"] = "group", ["group_size"] = 128, ["dynamic"] = true },
        ["output_activations"] = null,
        ["format"] = "float-quantized",
    };

    private static JsonObject Int4Group() => new()
    {
        // "Linear" serves the loader that looks its fused experts up by class; patterns are tried before it.
        ["targets"] = Texts("Linear", "re:.*block_sparse_moe\\.experts\\.\\d+\\.(w1|w2|w3)$",
            "re:.*mlp\\.experts\\.\\d+\\.(gate_proj|up_proj|down_proj)$"),
        ["weights"] = new JsonObject
        { ["num_bits"] = 4, ["type"] = "int", ["symmetric"] = true, ["strategy"] = "group", ["group_size"] = 32, ["dynamic"] = false },
        ["input_activations"] = null,
        ["output_activations"] = null,
        ["format"] = "pack-quantized",
    };

    private static JsonArray Texts(params string[] values) => new([.. values.Select(value => (JsonNode)value)]);
}
