using System.Text.Json.Nodes;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;

namespace Quilt.Tests.TinyModels;

/// <summary>
/// Two small MiniMax-M2 checkpoints of one random model, as they are published: <c>official</c>, FP8 in blocks with routers in float32, a shard a
/// layer, counted "of 130"; and <c>awq</c>, all of it in bfloat16 but the experts, which are smoothed by AWQ's rule, s1 through the norm and s2
/// between w3 and w2, and quantized to packed integers, in one file without an index. The same seed gives the same bytes.
/// </summary>
internal sealed class SmoothedPair : RandomTensors
{
    public const int Layers = 2;
    public const int Hidden = 128;
    public const int ExpertHidden = 64;
    public const int Experts = 4;
    private const int Heads = 4;
    private const int KeyValueHeads = 2;
    private const int HeadDim = 32;
    private const int Vocabulary = 200;

    private readonly int bits;
    private readonly int group;
    private readonly bool smooth;
    private readonly List<TensorToWrite> awq = [];
    private readonly Dictionary<string, List<TensorToWrite>> shards = [];

    private SmoothedPair(int seed, int bits, int group, bool smooth) : base(seed) =>
        (this.bits, this.group, this.smooth) = (bits, group, smooth);

    /// <summary>Writes both folders below another.</summary>
    public static void Write(string folder, int seed = 1, int bits = 4, int group = 32, bool smooth = true) =>
        new SmoothedPair(seed, bits, group, smooth).WriteFolders(folder);

    private void WriteFolders(string folder)
    {
        for (var layer = 0; layer < Layers; layer++) Layer(layer);
        var first = shards[Shard(0)];
        var last = shards[Shard(Layers - 1)];
        Both(first, BFloat16("model.embed_tokens.weight", [Vocabulary, Hidden], Normal(Vocabulary * Hidden, 0, 1)));
        Both(last, Gain("model.norm.weight", Hidden));
        Both(last, BFloat16("lm_head.weight", [Vocabulary, Hidden], Weight(Vocabulary, Hidden)));

        var (official, other) = (Path.Combine(folder, "official"), Path.Combine(folder, "awq"));
        Directory.CreateDirectory(official);
        Directory.CreateDirectory(other);
        var metadata = new Dictionary<string, string> { ["format"] = "pt" };
        foreach (var (name, tensors) in shards) SafeTensorsWriter.Write(Path.Combine(official, name), tensors, metadata);
        new ShardIndex(shards.SelectMany(shard => shard.Value.Select(tensor => (tensor.Name, shard.Key))).ToDictionary(),
            shards.Values.Sum(shard => shard.Sum(SafeTensorsWriter.Bytes))).Write(Path.Combine(official, ShardIndex.FileName));
        SafeTensorsWriter.Write(Path.Combine(other, "model.safetensors"), awq, metadata);
        File.WriteAllText(Path.Combine(official, "config.json"), Config(new JsonObject
        {
            ["quant_method"] = "fp8", ["fmt"] = "float8_e4m3fn", ["activation_scheme"] = "dynamic", ["weight_block_size"] = new JsonArray(128, 128),
            ["modules_to_not_convert"] = new JsonArray("gate", "e_score_correction_bias", "lm_head"),
        }));
        File.WriteAllText(Path.Combine(other, "config.json"), Config(ModuleFolder.Compressed("pack-quantized", ModuleFolder.Ints(bits, group),
            @"re:.*block_sparse_moe\.experts\.\d+\.(w1|w2|w3)$")));
        File.WriteAllText(Path.Combine(official, "generation_config.json"), """{"eos_token_id": 1}""");
        File.WriteAllText(Path.Combine(official, "chat_template.jinja"), "{{ messages }}");
        File.WriteAllText(Path.Combine(official, ".gitattributes"), "hidden");
    }

    private void Layer(int layer)
    {
        var (p, shard) = ($"model.layers.{layer}", new List<TensorToWrite>());
        shards.Add(Shard(layer), shard);
        Both(shard, Gain($"{p}.input_layernorm.weight", Hidden));
        Both(shard, Gain($"{p}.self_attn.q_norm.weight", Heads * HeadDim));
        Both(shard, Gain($"{p}.self_attn.k_norm.weight", KeyValueHeads * HeadDim));
        foreach (var (name, rows, columns) in new[] { ("q", Heads * HeadDim, Hidden), ("k", KeyValueHeads * HeadDim, Hidden),
            ("v", KeyValueHeads * HeadDim, Hidden), ("o", Hidden, Heads * HeadDim) })
        {
            var values = Fp8(shard, $"{p}.self_attn.{name}_proj", rows, columns);
            awq.Add(BFloat16($"{p}.self_attn.{name}_proj.weight", [rows, columns], values));
        }
        var router = Normal(Experts * Hidden, 0, 1 / MathF.Sqrt(Hidden));
        shard.Add(Float32($"{p}.block_sparse_moe.gate.weight", [Experts, Hidden], router));
        awq.Add(BFloat16($"{p}.block_sparse_moe.gate.weight", [Experts, Hidden], router));
        var correction = Normal(Experts, 0, 0.1f);
        shard.Add(Float32($"{p}.block_sparse_moe.e_score_correction_bias", [Experts], correction));
        awq.Add(BFloat16($"{p}.block_sparse_moe.e_score_correction_bias", [Experts], correction));

        var norm = Array.ConvertAll(Normal(Hidden, 1, 0.1f), BFloat16Round);
        var s1 = Scale(Hidden);
        shard.Add(BFloat16($"{p}.post_attention_layernorm.weight", [Hidden], norm));
        awq.Add(BFloat16($"{p}.post_attention_layernorm.weight", [Hidden], [.. norm.Zip(s1, (gain, s) => gain / s)]));
        for (var e = 0; e < Experts; e++)
        {
            var (x, s2) = ($"{p}.block_sparse_moe.experts.{e}", Scale(ExpertHidden));
            var (w1, w2, w3) = (Fp8(shard, $"{x}.w1", ExpertHidden, Hidden), Fp8(shard, $"{x}.w2", Hidden, ExpertHidden),
                Fp8(shard, $"{x}.w3", ExpertHidden, Hidden));
            Packed($"{x}.w1", ExpertHidden, Hidden, [.. w1.Select((w, i) => w * s1[i % Hidden])]);
            Packed($"{x}.w2", Hidden, ExpertHidden, [.. w2.Select((w, i) => w * s2[i % ExpertHidden])]);
            Packed($"{x}.w3", ExpertHidden, Hidden, [.. w3.Select((w, i) => BFloat16Round(w * s1[i % Hidden]) / s2[i / Hidden])]);
        }
    }

    // exp of normal numbers, its middle at 1 as AWQ has it.
    private float[] Scale(int count)
    {
        var logs = Normal(count, 0, smooth ? 0.4f : 0);
        var middle = (logs.Max() + logs.Min()) / 2;
        return Array.ConvertAll(logs, log => MathF.Exp(log - middle));
    }

    private float[] Fp8(List<TensorToWrite> shard, string name, int rows, int columns)
    {
        var (codes, scales) = Fp8BlockQuantizer.Quantize(Round(Weight(rows, columns)), rows, columns);
        var across = (columns + 127) / 128;
        shard.Add(new($"{name}.weight", DType.F8E4M3, [rows, columns], codes));
        shard.Add(Float32($"{name}.weight_scale_inv", [(rows + 127) / 128, across], scales));
        return [.. codes.Select((code, i) => Float8E4M3.Decode(code) * scales[(i / columns / 128 * across) + (i % columns / 128)])];
    }

    private void Packed(string name, int rows, int columns, float[] weight) =>
        awq.AddRange(Packed(name, weight, rows, columns, bits, Math.Min(group, columns)));

    private void Both(List<TensorToWrite> shard, TensorToWrite tensor)
    {
        shard.Add(tensor);
        awq.Add(tensor);
    }

    private static string Shard(int layer) => FormattableString.Invariant($"model-{layer:00000}-of-00130.safetensors");

    private static float BFloat16Round(float value) => Quilt.Formats.Numerics.BFloat16.Round(value);

    private float[] Weight(int rows, int columns) => Normal(rows * columns, 0, 1 / MathF.Sqrt(columns));

    private static string Config(JsonObject quantization) => new JsonObject
    {
        ["architectures"] = new JsonArray("MiniMaxM2ForCausalLM"), ["model_type"] = "minimax_m2", ["head_dim"] = HeadDim, ["hidden_act"] = "silu",
        ["hidden_size"] = Hidden, ["intermediate_size"] = ExpertHidden, ["max_position_embeddings"] = 256, ["num_attention_heads"] = Heads,
        ["num_experts_per_tok"] = 2, ["num_hidden_layers"] = Layers, ["num_key_value_heads"] = KeyValueHeads, ["num_local_experts"] = Experts,
        ["rms_norm_eps"] = 1e-6, ["rope_theta"] = 5000000, ["rotary_dim"] = 16, ["tie_word_embeddings"] = false, ["torch_dtype"] = "bfloat16",
        ["vocab_size"] = Vocabulary, ["quantization_config"] = quantization,
    }.ToJsonString();
}
