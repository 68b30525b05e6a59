namespace Quilt.Kernels.Devices;

/// <summary>In what precision a quantized weight meets its input.</summary>
public enum Activations
{
    /// <summary>float32, as the references compute.</summary>
    Float,

    /// <summary>int8 in groups of 32 with a float32 scale, for integer weights: faster, a small error on top of the weights' own.</summary>
    Int8,

    /// <summary>bfloat16 where prompts meet a GPU's matrix instructions: half of their work. Decoding, and GPUs without such instructions, stay with <see cref="Float"/>.</summary>
    BFloat16,
}
