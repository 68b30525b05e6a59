using Quilt.Kernels.Ops;

namespace Quilt.Quantizer.Awq.Refined;

/// <summary>What enters the routed experts of a layer.</summary>
/// <param name="Input">[tokens, model] the norm's output.</param>
/// <param name="Plan">Which token goes to which expert, as the official weights say.</param>
/// <param name="Take">An expert's weights, unscaled, and which expert will be asked for next; −1: none.</param>
internal sealed record LayerInput(float[] Input, ExpertPlan Plan, Func<int, int, ExpertMatrices> Take);
