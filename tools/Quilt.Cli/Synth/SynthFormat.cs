namespace Quilt.Cli.Synth;

/// <summary>How the linear modules of a random checkpoint are stored.</summary>
internal enum SynthFormat
{
    /// <summary>Attention in FP8 blocks of 128 x 128, experts in 4-bit groups of 32.</summary>
    Fp8Int4,

    /// <summary>Everything in FP8 blocks, as MiniMax publishes it.</summary>
    Fp8,

    /// <summary>Attention in bfloat16, experts in 4-bit groups of 32.</summary>
    Bf16Int4,

    /// <summary>Not quantized.</summary>
    Bf16,
}
