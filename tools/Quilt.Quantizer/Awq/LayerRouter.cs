using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Awq;

/// <summary>The router of a layer by itself, as the official weights have it.</summary>
internal sealed unsafe class LayerRouter : IDisposable
{
    private readonly ExpertModules experts;
    private readonly OpStream ops;
    private readonly Weight weight;
    private readonly NativeBuffer? correction;

    /// <summary>Reads it.</summary>
    /// <exception cref="Formats.BadInputException">A tensor is missing or wrong.</exception>
    public LayerRouter(ExpertModules experts, IDecoderParts parts, OpStream ops)
    {
        (this.experts, this.ops) = (experts, ops);
        weight = parts.Weight([experts.Router]);
        if (experts.Correction is not { } shape) return;
        correction = new NativeBuffer(shape.Length * sizeof(float));
        parts.Fill(shape, correction.Span<float>(0, shape.Length));
    }

    /// <summary>Its rows [experts, model].</summary>
    public float[] Values()
    {
        var values = new float[weight.Rows * weight.Columns];
        for (var row = 0; row < weight.Rows; row++) weight.Dequantize(0, row, values.AsSpan(row * weight.Columns, weight.Columns));
        return values;
    }

    /// <summary>Where each token of <paramref name="input"/> [tokens, model] goes. The caller frees the plan.</summary>
    public ExpertPlan Route(float[] input) => Route(weight, input);

    /// <summary>The same by other rows, [experts, model].</summary>
    public ExpertPlan RouteBy(float[] values, float[] input)
    {
        using var other = new Refined.PlainWeight(weight.Rows, weight.Columns);
        other.Set(ops.Device.Pool, values);
        return Route(other.Inner, input);
    }

    public void Dispose()
    {
        weight.Dispose();
        correction?.Dispose();
    }

    private ExpertPlan Route(Weight by, float[] input)
    {
        ops.Reset();
        var plan = new ExpertPlan();
        fixed (float* data = input)
        {
            var x = new Matrix(data, input.Length / by.Columns, by.Columns);
            var scores = ops.Scratch(x.Rows, by.Rows);
            by.MatMul(ops, x, scores);
            ops.Route(scores, correction, experts.Spec.Routing, plan);
        }
        return plan;
    }
}
