using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Quantizer.Awq.Match;

/// <summary>The router as transformers runs it: logits rounded to the model's type, the choice in float32.</summary>
internal static unsafe class MatchedRouter
{
    /// <summary>The plan of all tokens of <paramref name="input"/> [tokens, model].</summary>
    public static ExpertPlan Run(CpuDevice device, float[] router, NativeBuffer? correction, Routing routing, Precision precision,
        float[] input, int model)
    {
        var experts = router.Length / model;
        var logits = new float[input.Length / model * experts];
        MatchedProduct.Run(router, experts, input, logits);
        precision.Round(logits);
        var plan = new ExpertPlan();
        using var ops = new OpStream(device);
        fixed (float* data = logits) ops.Route(new Matrix(data, logits.Length / experts, experts), correction, routing, plan);
        return plan;
    }
}
