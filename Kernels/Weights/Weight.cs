using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Kernels.Weights;

/// <summary>
/// A matrix W [rows, columns], or a stack of them [experts, rows, columns], on a device, that can multiply itself (a GEMM, with one
/// token a GEMV; a stack of experts a grouped GEMM). How it is stored is its own affair.
/// </summary>
/// <remarks>Every output value is summed in an order that depends on the weight alone, never on the number of tokens beside it.</remarks>
internal abstract class Weight(string name, int experts, int rows, int columns) : IDisposable
{
    /// <summary>The module's name in the checkpoint.</summary>
    public string Name { get; } = name;

    /// <summary>Matrices in the stack; 1 for a plain matrix.</summary>
    public int Experts { get; } = experts;

    /// <summary>Outputs.</summary>
    public int Rows { get; } = rows;

    /// <summary>Inputs.</summary>
    public int Columns { get; } = columns;

    /// <summary>Bytes held, padding and scales included.</summary>
    public abstract long Bytes { get; }

    /// <summary>Its tiles, which it owns; null where it is not held in such memory.</summary>
    public virtual TileMemory? Memory => null;

    /// <summary>How it is stored, for people: e.g. <c>int4 g32</c>.</summary>
    public abstract string Format { get; }

    /// <summary>
    /// On a GPU: whether its format, shape and segments are such that the tensor-core kernels can take it, where the device has these.
    /// </summary>
    public virtual bool SuitsTensorCores => false;

    /// <summary>y[t, n] = Σ_k W[n, k] · x[t, k]. x is [tokens, columns], y [tokens, rows].</summary>
    public abstract void MatMul(OpStream ops, Matrix x, Matrix y);

    /// <summary>
    /// y[p, n] = Σ_k W[expert of p, n, k] · x[row of p, k] for every (token, expert) pair p of the plan, which lists them by expert.
    /// The row of p is its token if <paramref name="rows"/> is <see cref="ExpertRows.Tokens"/>, else p itself.
    /// </summary>
    public abstract void MatMulExperts(OpStream ops, Matrix x, ExpertPlan plan, ExpertRows rows, Matrix y);

    /// <summary>
    /// into[p] = silu(this · x) ⊙ (up · x) for every pair p of the plan, in one launch: x is [tokens, columns], <paramref name="into"/> [pairs, rows]
    /// in the plan's order. False, and nothing done, where there is no such kernel for these two.
    /// </summary>
    public virtual bool TryMatMulGated(OpStream ops, Weight up, Matrix x, ExpertPlan plan, Matrix into) => false;

    /// <summary>
    /// The products of three weights with one input, this one's into <paramref name="y"/>, as <see cref="MatMul"/> makes each. False, and nothing
    /// done, where making them together saves nothing.
    /// </summary>
    public virtual bool TryMatMulThree(OpStream ops, Matrix x, Matrix y, Weight second, Matrix ofSecond, Weight third, Matrix ofThird) => false;

    /// <summary>One row of one matrix as float32: float32(code) · scale, as the checkpoint means it.</summary>
    public abstract void Dequantize(int expert, int row, Span<float> into);

    /// <summary>The same weight in a GPU's memory. This one stays and may then be disposed.</summary>
    /// <exception cref="NotSupportedException">It is not one that moves.</exception>
    public virtual Weight MoveTo(GpuDevice device) => throw new NotSupportedException($"{Name}: {Format} has no form for a GPU.");

    public abstract void Dispose();
}

/// <summary>What the rows of an expert's input are.</summary>
internal enum ExpertRows
{
    /// <summary>One row a token, shared by all experts it goes to.</summary>
    Tokens,

    /// <summary>One row a (token, expert) pair, in the plan's order.</summary>
    Pairs,
}
