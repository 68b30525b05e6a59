using ILGPU;

namespace Quilt.Kernels.Weights;

/// <summary>Which rows meet which matrix in a product on a GPU.</summary>
internal struct GpuProduct
{
    /// <summary>Output rows.</summary>
    public int Count;

    /// <summary>Values from one input row to the next.</summary>
    public int Stride;

    /// <summary>1: the input row of a pair is its token; 0: the pair itself.</summary>
    public int ByToken;

    /// <summary>Experts of the plan; 0 without one.</summary>
    public int Experts;

    /// <summary>The only expert to multiply with, by the first matrix; −1: all.</summary>
    public int Only;

    /// <summary>Most experts that can have a pair.</summary>
    public int Slots;

    /// <summary>Sixteen-byte words from one plane of the input to the next (<see cref="HalfRows"/>).</summary>
    public long Plane;

    /// <summary>Planes of the input: 2, or 1 where what rounding to bfloat16 takes is left out.</summary>
    public int Planes;

    /// <summary>Blocks of input rows that different groups take; 1 with a plan.</summary>
    public int Blocks;

    /// <summary>The expert of a slot; −1 where fewer are active.</summary>
    public readonly int Expert(ArrayView<int> lists, int slot)
    {
        if (Experts == 0) return 0;
        if (Only >= 0) return Only;
        return slot < lists[Experts + 1] ? lists[Experts + 2 + slot] : -1;
    }

    /// <summary>The matrix of an expert.</summary>
    public readonly long Matrix(int expert) => Experts == 0 || Only >= 0 || expert < 0 ? 0 : expert;

    /// <summary>First output row of an expert.</summary>
    public readonly int First(ArrayView<int> lists, int expert) => Experts == 0 || expert < 0 ? 0 : lists[expert];

    /// <summary>Output row behind an expert's last.</summary>
    public readonly int End(ArrayView<int> lists, int expert) => expert < 0 ? 0 : Experts == 0 ? Count : lists[expert + 1];

    /// <summary>First value of the input of an output row; of the last one for rows beyond the end.</summary>
    public readonly long Input(ArrayView<int> pairToken, int pair, int end)
    {
        var row = pair < end ? pair : end - 1;
        return (long)(ByToken != 0 ? pairToken[row] : row) * Stride;
    }
}
