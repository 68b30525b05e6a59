namespace Quilt.Quantizer.Awq;

/// <summary>The three matrices of one expert as float32 values of the model's type.</summary>
/// <param name="Gate">[width, model], w1: goes through the activation.</param>
/// <param name="Up">[width, model], w3: what the activation is multiplied with.</param>
/// <param name="Down">[model, width], w2: back to the residual stream.</param>
internal sealed record ExpertMatrices(float[] Gate, float[] Up, float[] Down);
