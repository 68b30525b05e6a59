namespace Quilt.Quantizer.Awq;

/// <summary>What is told of a layer that was calibrated.</summary>
/// <param name="Layer">Which.</param>
/// <param name="Before">Relative error of what its experts say together, with plain rounding; null where nobody measured.</param>
/// <param name="After">The same as it is stored.</param>
/// <param name="Ratio">How the norm's scales were chosen, in words; null: it stays.</param>
/// <param name="LargestLog2">Largest |log2 s| of the norm's scales.</param>
/// <param name="MedianLog2">The middle one.</param>
/// <param name="Overlap">Share of a token's experts that the router as it is written still chooses, on the same input.</param>
/// <param name="SameSet">Share of tokens all of whose experts are the same.</param>
/// <param name="Experts">Of each expert.</param>
/// <param name="Seconds">How long it took.</param>
internal sealed record LayerReport(int Layer, double? Before, double? After, string? Ratio, double LargestLog2, double MedianLog2, double Overlap,
    double SameSet, ExpertReport[] Experts, double Seconds);

/// <summary>What is told of an expert.</summary>
/// <param name="Tokens">Tokens that the router sends to it.</param>
/// <param name="Before">Relative error of its output with plain rounding.</param>
/// <param name="After">The same as it is stored.</param>
/// <param name="Ratio">How the scales of up were chosen, in words; null: they stay.</param>
internal sealed record ExpertReport(int Tokens, double? Before, double? After, string? Ratio);
