using Quilt.Kernels.Ops;

namespace Quilt.Quantizer.Awq.Refined;

/// <summary>What enters the routed experts of a layer.</summary>
/// <param name="Input">[tokens, model] the norm's output.</param>
/// <param name="Plan">Which token goes to which expert, as the official weights say.</param>
/// <param name="Expert">An expert's weights, unscaled.</param>
internal sealed record LayerInput(float[] Input, ExpertPlan Plan, Func<int, ExpertMatrices> Expert);
