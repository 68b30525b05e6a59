using Quilt.Formats.Checkpoints.Packed;

namespace Quilt.Formats.Tensors;

/// <summary>One tensor of a file: what it is and where its bytes lie. Row-major, little-endian.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Type">Type of an element.</param>
/// <param name="Shape">Dimensions, outermost first; empty for one element.</param>
/// <param name="File">Full path of the file.</param>
/// <param name="Offset">First byte, counted from the start of the file.</param>
/// <param name="Length">Bytes.</param>
public sealed record TensorEntry(string Name, DType Type, long[] Shape, string File, long Offset, long Length)
{
    /// <summary>
    /// Elements from one index to the next of each dimension, for a tensor that is cut out of a larger one: <see cref="Offset"/> is then the first
    /// element's, <see cref="Length"/> still the bytes of its own elements. Null: row-major, without gaps.
    /// </summary>
    public long[]? Strides { get; init; }

    /// <summary>
    /// Of a part that is cut out of a tensor with all experts: what it would be called if it stood alone. Null: it is the whole tensor.
    /// </summary>
    public string? Part { get; init; }

    /// <summary>Of a packed checkpoint: what the weight is whose words, scales, zero points or groups these are. Null: something else.</summary>
    internal TileForm? Tiles { get; init; }

    /// <summary>What to call it in messages: the name that is in the file, and which part of it is meant.</summary>
    internal string Label => Part is null ? Name : $"{Name} ({Part})";

    /// <summary>Number of elements: the product of the shape.</summary>
    public long Elements
    {
        get
        {
            var product = 1L;
            foreach (var dimension in Shape) product *= dimension;
            return product;
        }
    }

    /// <summary>The shape as it is written in messages, for example [1536, 3072].</summary>
    internal string ShapeText => $"[{string.Join(", ", Shape)}]";
}
