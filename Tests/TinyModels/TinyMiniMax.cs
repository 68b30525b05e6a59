using System.Text.Json.Nodes;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;

namespace Quilt.Tests.TinyModels;

/// <summary>
/// Writes a small mixed-precision MiniMax-M2 checkpoint: random weights, quantized as published checkpoints are. Attention in FP8 blocks of 128 x 128
/// (one partial), experts in 4-bit groups of 32, router float32, the rest bfloat16; one shard for each layer. The same seed gives the same bytes.
/// </summary>
internal sealed class TinyMiniMax(int seed, int vocabulary, int layers, params (string Name, float[] Values)[] attention) : RandomTensors(seed)
{
    public const int Layers = 2;
    public const int Hidden = 64;
    public const int Experts = 4;
    public const int MaxPositions = 256;
    public const int EndToken = 1;
    private const int ExpertHidden = 32;
    private const int Heads = 10;
    private const int KeyValueHeads = 2;
    private const int HeadDim = 16;
    private readonly JsonObject map = [];

    /// <summary>The folder of the demo model, beside the tests.</summary>
    public static string Demo => Path.Combine(AppContext.BaseDirectory, "Demo");

    /// <summary>
    /// Writes config.json, generation_config.json, index and a shard a layer into <paramref name="folder"/>; with the demo model's tokenizer and
    /// template if asked for, and with more tensors in each layer's attention.
    /// </summary>
    public static void Write(string folder, int seed = 1, bool tokenizer = false, int layers = Layers,
        params (string Name, float[] Values)[] attention)
    {
        Directory.CreateDirectory(folder);
        new TinyMiniMax(seed, tokenizer ? 2048 : 300, layers, attention).WriteFiles(folder);
        if (!tokenizer) return;
        foreach (var name in (string[])["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"])
            File.Copy(Path.Combine(Demo, name), Path.Combine(folder, name));
    }

    private void WriteFiles(string folder)
    {
        var total = 0L;
        for (var layer = 0; layer < layers; layer++)
        {
            var name = FormattableString.Invariant($"model-{layer + 1:00000}-of-{layers:00000}.safetensors");
            var tensors = Layer($"model.layers.{layer}").ToList();
            if (layer == 0) tensors.Add(BFloat16("model.embed_tokens.weight", [vocabulary, Hidden], Normal(vocabulary * Hidden, 0, 1)));
            if (layer == layers - 1)
                tensors.AddRange([Gain("model.norm.weight", Hidden), BFloat16("lm_head.weight", [vocabulary, Hidden], Weight(vocabulary, Hidden))]);
            SafeTensorsWriter.Write(Path.Combine(folder, name), tensors, new Dictionary<string, string> { ["format"] = "pt" });
            foreach (var tensor in tensors) map[tensor.Name] = name;
            total += tensors.Sum(SafeTensorsWriter.Bytes);
        }
        File.WriteAllText(Path.Combine(folder, ShardIndex.FileName),
            new JsonObject { ["metadata"] = new JsonObject { ["total_size"] = total }, ["weight_map"] = map }.ToJsonString());
        File.WriteAllText(Path.Combine(folder, "config.json"), Config());
        File.WriteAllText(Path.Combine(folder, "generation_config.json"),
            $$"""{"bos_token_id": 2, "eos_token_id": {{EndToken}}, "do_sample": true, "temperature": 0.8, "top_p": 0.95, "top_k": 40}""");
    }

    private IEnumerable<TensorToWrite> Layer(string p)
    {
        yield return Gain($"{p}.input_layernorm.weight", Hidden);
        yield return Gain($"{p}.post_attention_layernorm.weight", Hidden);
        yield return Gain($"{p}.self_attn.q_norm.weight", Heads * HeadDim);
        yield return Gain($"{p}.self_attn.k_norm.weight", KeyValueHeads * HeadDim);
        foreach (var tensor in Fp8($"{p}.self_attn.q_proj", Heads * HeadDim, Hidden)) yield return tensor;
        foreach (var tensor in Fp8($"{p}.self_attn.k_proj", KeyValueHeads * HeadDim, Hidden)) yield return tensor;
        foreach (var tensor in Fp8($"{p}.self_attn.v_proj", KeyValueHeads * HeadDim, Hidden)) yield return tensor;
        foreach (var tensor in Fp8($"{p}.self_attn.o_proj", Hidden, Heads * HeadDim)) yield return tensor;
        foreach (var (name, values) in attention) yield return Float32($"{p}.self_attn.{name}", [values.Length], values);
        yield return Float32($"{p}.block_sparse_moe.gate.weight", [Experts, Hidden], Normal(Experts * Hidden, 0, 1 / MathF.Sqrt(Hidden)));
        yield return Float32($"{p}.block_sparse_moe.e_score_correction_bias", [Experts], Normal(Experts, 0, 0.1f));
        for (var expert = 0; expert < Experts; expert++)
        {
            var x = $"{p}.block_sparse_moe.experts.{expert}";
            foreach (var tensor in Int4($"{x}.w1", ExpertHidden, Hidden)) yield return tensor;
            foreach (var tensor in Int4($"{x}.w2", Hidden, ExpertHidden)) yield return tensor;
            foreach (var tensor in Int4($"{x}.w3", ExpertHidden, Hidden)) yield return tensor;
        }
    }

    private IEnumerable<TensorToWrite> Fp8(string name, int rows, int columns)
    {
        var (codes, scales) = Fp8BlockQuantizer.Quantize(Round(Weight(rows, columns)), rows, columns);
        yield return new($"{name}.weight", DType.F8E4M3, [rows, columns], codes);
        yield return Float32($"{name}.weight_scale", [(rows + 127) / 128, (columns + 127) / 128], scales);
    }

    private IEnumerable<TensorToWrite> Int4(string name, int rows, int columns) =>
        Packed(name, Weight(rows, columns), rows, columns, bits: 4, group: 32);

    // Twice the deviation that keeps numbers at their size: the model then prefers some tokens clearly.
    private float[] Weight(int rows, int columns) => Normal(rows * columns, 0, 2 / MathF.Sqrt(columns));

    private string Config() => $$"""
        {
          "architectures": ["MiniMaxM2ForCausalLM"], "model_type": "minimax_m2",
          "attn_type_list": [{{string.Join(", ", Enumerable.Repeat(1, layers))}}], "head_dim": {{HeadDim}}, "hidden_act": "silu",
          "hidden_size": {{Hidden}}, "intermediate_size": {{ExpertHidden}},
          "max_position_embeddings": {{MaxPositions}}, "num_attention_heads": {{Heads}},
          "num_experts_per_tok": 2, "num_hidden_layers": {{layers}}, "num_key_value_heads": {{KeyValueHeads}}, "num_local_experts": {{Experts}},
          "qk_norm_type": "per_layer", "rms_norm_eps": 1e-06, "rope_theta": 5000000, "rotary_dim": 8,
          "scoring_func": "sigmoid", "shared_intermediate_size": 0,
          "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_qk_norm": true, "use_routing_bias": true, "vocab_size": {{vocabulary}},
          "quantization_config": {
            "quant_method": "compressed-tensors", "format": "mixed-precision", "quantization_status": "compressed", "kv_cache_scheme": null,
            "ignore": ["lm_head", "re:.*block_sparse_moe\\.gate$"],
            "config_groups": {
              "group_0": {
                "targets": ["re:.*self_attn\\.(q_proj|k_proj|v_proj|o_proj)$"], "format": "float-quantized", "output_activations": null,
                "weights": {"num_bits": 8, "type": "float", "symmetric": true, "strategy": "block", "block_structure": [128, 128], "dynamic": false},
                "input_activations": {"num_bits": 8, "type": "float", "symmetric": true, "strategy": "group", "group_size": 128, "dynamic": true}
              },
              "group_1": {
                "targets": ["Linear", "re:.*block_sparse_moe\\.experts\\.\\d+\\.(w1|w2|w3)$"], "format": "pack-quantized",
                "input_activations": null, "output_activations": null,
                "weights": {"num_bits": 4, "type": "int", "symmetric": true, "strategy": "group",
                  "group_size": 32, "dynamic": false, "actorder": null}
              }
            }
          }
        }
        """;
}
