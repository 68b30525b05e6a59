namespace Quilt.Kernels.Devices;

/// <summary>In what precision a quantized weight meets its input.</summary>
public enum Activations
{
    /// <summary>float32, as the references compute.</summary>
    Float,

    /// <summary>int8 in groups of 32 with a float32 scale, for integer weights: faster, a small error on top of the weights' own.</summary>
    Int8,
}
