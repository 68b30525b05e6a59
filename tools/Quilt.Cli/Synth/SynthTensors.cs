using System.Runtime.InteropServices;
using Quilt.Formats.Tensors;

namespace Quilt.Cli.Synth;

/// <summary>
/// Every tensor of a random MiniMax-M2 checkpoint, by its official name (source: the weight maps of the published folders). Weights have a deviation
/// of 1 / √inputs, so that numbers keep their size on the way through and logits stay finite at any depth.
/// </summary>
internal sealed class SynthTensors(SynthShape shape, SynthFormat format, long seed)
{
    private readonly bool fp8Attention = format is SynthFormat.Fp8 or SynthFormat.Fp8Int4;
    private readonly bool int4Experts = format is SynthFormat.Bf16Int4 or SynthFormat.Fp8Int4;

    /// <summary>All tensors, in the order of the model.</summary>
    public IEnumerable<TensorToWrite> All()
    {
        yield return BFloat16("model.embed_tokens.weight", [shape.Vocabulary, shape.Hidden], 0, 1);
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            foreach (var tensor in Layer($"model.layers.{layer}")) yield return tensor;
        }
        yield return Gain("model.norm.weight", shape.Hidden);
        yield return Dense("lm_head", shape.Vocabulary, shape.Hidden);
    }

    private IEnumerable<TensorToWrite> Layer(string p)
    {
        var hidden = shape.Hidden;
        yield return Gain($"{p}.input_layernorm.weight", hidden);
        yield return Gain($"{p}.post_attention_layernorm.weight", hidden);
        yield return Gain($"{p}.self_attn.q_norm.weight", shape.Queries);
        yield return Gain($"{p}.self_attn.k_norm.weight", shape.Keys);
        foreach (var tensor in Attention($"{p}.self_attn.q_proj", shape.Queries, hidden)) yield return tensor;
        foreach (var tensor in Attention($"{p}.self_attn.k_proj", shape.Keys, hidden)) yield return tensor;
        foreach (var tensor in Attention($"{p}.self_attn.v_proj", shape.Keys, hidden)) yield return tensor;
        foreach (var tensor in Attention($"{p}.self_attn.o_proj", hidden, shape.Queries)) yield return tensor;
        // The router is float32 in every format: bfloat16 would change which experts are chosen.
        yield return Float32($"{p}.block_sparse_moe.gate.weight", [shape.Experts, hidden], 0, Deviation(hidden));
        yield return Float32($"{p}.block_sparse_moe.e_score_correction_bias", [shape.Experts], 0, 0.02f);
        for (var expert = 0; expert < shape.Experts; expert++)
        {
            var x = $"{p}.block_sparse_moe.experts.{expert}";
            foreach (var tensor in Expert($"{x}.w1", shape.ExpertHidden, hidden)) yield return tensor;
            foreach (var tensor in Expert($"{x}.w2", hidden, shape.ExpertHidden)) yield return tensor;
            foreach (var tensor in Expert($"{x}.w3", shape.ExpertHidden, hidden)) yield return tensor;
        }
    }

    private IEnumerable<TensorToWrite> Attention(string name, int rows, int columns) =>
        fp8Attention ? Fp8(name, rows, columns) : [Dense(name, rows, columns)];

    private IEnumerable<TensorToWrite> Expert(string name, int rows, int columns) =>
        int4Experts ? Int4(name, rows, columns) : fp8Attention ? Fp8(name, rows, columns) : [Dense(name, rows, columns)];

    private IEnumerable<TensorToWrite> Fp8(string name, int rows, int columns)
    {
        // MiniMax's own name of the scale, and the one that compressed-tensors gives it.
        var scale = format == SynthFormat.Fp8 ? "weight_scale_inv" : "weight_scale";
        yield return new($"{name}.weight", DType.F8E4M3, [rows, columns], to => Random($"{name}.weight").WriteFp8(to, (long)rows * columns));
        yield return Float32($"{name}.{scale}", [(rows + 127) / 128, (columns + 127) / 128], Deviation(columns) / RandomBytes.Fp8Deviation,
            0.2f * Deviation(columns) / RandomBytes.Fp8Deviation);
    }

    private IEnumerable<TensorToWrite> Int4(string name, int rows, int columns)
    {
        var scale = Deviation(columns) / RandomBytes.Int4Deviation;
        yield return new($"{name}.weight_packed", DType.I32, [rows, columns / 8],
            to => Random($"{name}.weight_packed").WriteInt4(to, (long)rows * columns / 2));
        yield return BFloat16($"{name}.weight_scale", [rows, columns / 32], scale, 0.2f * scale);
        yield return new($"{name}.weight_shape", DType.I64, [2], to => to.Write(MemoryMarshal.AsBytes<long>([rows, columns])));
    }

    private TensorToWrite Dense(string name, int rows, int columns) => BFloat16($"{name}.weight", [rows, columns], 0, Deviation(columns));

    private TensorToWrite Gain(string name, int length) => BFloat16(name, [length], 1, 0.1f);

    private TensorToWrite BFloat16(string name, long[] dimensions, float mean, float deviation) =>
        new(name, DType.BF16, dimensions, to => Random(name).WriteBFloat16(to, Count(dimensions), mean, deviation));

    private TensorToWrite Float32(string name, long[] dimensions, float mean, float deviation) =>
        new(name, DType.F32, dimensions, to => Random(name).WriteFloat32(to, Count(dimensions), mean, deviation));

    private RandomBytes Random(string name) => new(name, (ulong)seed);

    private static long Count(long[] dimensions) => dimensions.Aggregate(1L, (count, dimension) => count * dimension);

    private static float Deviation(int inputs) => 1 / MathF.Sqrt(inputs);
}
