using Quilt.Formats.Tensors;

namespace Quilt.Quantizer.Output;

/// <summary>A tensor that the result will have.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Type">Type of an element.</param>
/// <param name="Shape">Dimensions, outermost first.</param>
internal sealed record OutputTensor(string Name, DType Type, long[] Shape)
{
    /// <summary>Bytes in the file.</summary>
    public long Bytes { get; } = Size(Name, Type, Shape);

    /// <summary>The same tensor with what writes it.</summary>
    public TensorToWrite With(Action<Stream> write) => new(Name, Type, Shape, write);

    /// <summary>Whether <paramref name="other"/> is this tensor.</summary>
    public bool Is(TensorToWrite other) => Name == other.Name && Type == other.Type && Shape.AsSpan().SequenceEqual(other.Shape);

    private static long Size(string name, DType type, long[] shape) =>
        SafeTensorsWriter.Bytes(new TensorToWrite(name, type, shape, default(ReadOnlyMemory<byte>)));
}

/// <summary>Tensors that are made and kept together: the unit in which an interrupted run goes on.</summary>
/// <param name="Name">A plain word for files and messages, such as <c>layer-7</c>.</param>
/// <param name="Tensors">In the order of the model.</param>
internal sealed record OutputPart(string Name, IReadOnlyList<OutputTensor> Tensors)
{
    /// <summary>Bytes of all of them.</summary>
    public long Bytes { get; } = Tensors.Sum(tensor => tensor.Bytes);
}
