using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints;

/// <summary>
/// How the weight of one module is stored, and nothing about how it is multiplied. Closed: one case for each kind of storage that loads.
/// </summary>
public abstract record QuantScheme
{
    private QuantScheme()
    {
    }

    /// <summary>Short name for people, e.g. "fp8 128x128" or "int4 g32".</summary>
    public abstract string Name { get; }

    /// <summary>Plain floating point.</summary>
    /// <param name="Type">F32, BF16 or F16.</param>
    public sealed record Dense(DType Type) : QuantScheme
    {
        /// <inheritdoc/>
        public override string Name => Type.FileName().ToLowerInvariant();
    }

    /// <summary>Float8 E4M3 codes with one scale (a multiplier) for each block; blocks at the edges may be partial.</summary>
    /// <param name="BlockRows">Rows that share a scale.</param>
    /// <param name="BlockColumns">Columns that share a scale.</param>
    /// <param name="ScaleType">Type of the scales.</param>
    public sealed record Fp8(int BlockRows, int BlockColumns, DType ScaleType) : QuantScheme
    {
        /// <inheritdoc/>
        public override string Name => $"fp8 {BlockRows}x{BlockColumns}";
    }

    /// <summary>Integer codes packed in 32-bit words; value = (code − zero point) · scale, one scale for each group of columns of a row.</summary>
    /// <param name="Bits">1 to 8.</param>
    /// <param name="GroupSize">Columns that share a scale; all of a row for one scale a row.</param>
    /// <param name="Symmetric">True: no zero points.</param>
    /// <param name="Reordered">True: a stored index gives each column its group.</param>
    /// <param name="ScaleType">Type of the scales.</param>
    public sealed record PackedInt(int Bits, int GroupSize, bool Symmetric, bool Reordered, DType ScaleType) : QuantScheme
    {
        /// <summary>Codes that straddle words (3, 5, 6 and 7 bits as written since compressed-tensors 0.18).</summary>
        public bool DenseWords { get; init; }

        /// <inheritdoc/>
        public override string Name => $"int{Bits} g{GroupSize}{(Symmetric ? "" : " asymmetric")}{(Reordered ? " reordered" : "")}";
    }
}
