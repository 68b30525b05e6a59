using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Runtime.Models;

/// <summary>The dense part of a feed-forward, which every token goes through: down(silu(gate(x)) · up(x)).</summary>
internal sealed class DenseMlp
{
    public required Linear Gate { get; init; }                    // [width, model]
    public required Linear Up { get; init; }                      // [width, model]
    public required Linear Down { get; init; }                    // [model, width]

    /// <summary>h [tokens, model] in, <paramref name="update"/> [tokens, model] out.</summary>
    public void Forward(in LayerPass pass, Matrix h, Matrix update)
    {
        var ops = pass.Ops;
        var gate = ops.Scratch(h.Rows, Gate.Weight.Rows);         // [tokens, width]
        var up = ops.Scratch(h.Rows, Up.Weight.Rows);
        pass.Watch(Gate, h);
        Gate.MatMul(ops, h, gate);
        pass.Watch(Up, h);
        Up.MatMul(ops, h, up);
        ops.SiluMul(gate, up, into: gate);
        pass.Watch(Down, gate);
        Down.MatMul(ops, gate, update);
    }
}
