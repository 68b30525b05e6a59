namespace Quilt.Kernels.Devices;

/// <summary>In what precision a quantized weight meets its input.</summary>
public enum Activations
{
    /// <summary>float32, as the references compute.</summary>
    Float,

    /// <summary>int8 in groups of 32 with a float32 scale, for integer weights: faster, a small error on top of the weights' own.</summary>
    Int8,

    /// <summary>
    /// bfloat16 where prompts meet a GPU's tensor cores: half of their work. Decoding, and GPUs without them, stay with
    /// <see cref="Float"/>.
    /// </summary>
    BFloat16,

    /// <summary>
    /// FP8 E4M3 in groups of 128 with a float32 scale where prompts meet FP8 weights, on GPUs whose tensor cores take it as such (sm_89 and
    /// sm_120, at twice the rate of bfloat16): how published FP8 checkpoints are meant to be run. Everything else as with <see cref="BFloat16"/>.
    /// </summary>
    Fp8,
}
