namespace Quilt.Formats.Tensors;

/// <summary>One tensor of a file: what it is and where its bytes lie. Row-major, little-endian.</summary>
/// <param name="Name">Its name; in a checkpoint the official one, whatever the file says.</param>
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
