using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Quilt.Formats.Tensors;

/// <summary>One tensor for <see cref="SafeTensorsWriter"/>.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Type">Type of an element.</param>
/// <param name="Shape">Dimensions, outermost first.</param>
/// <param name="WriteTo">Writes exactly the tensor's bytes, little-endian, row-major; called once, in the order of the file.</param>
public sealed record TensorToWrite(string Name, DType Type, long[] Shape, Action<Stream> WriteTo)
{
    /// <summary>A tensor whose bytes are at hand.</summary>
    public TensorToWrite(string name, DType type, long[] shape, ReadOnlyMemory<byte> bytes)
        : this(name, type, shape, stream => stream.Write(bytes.Span))
    {
    }
}

/// <summary>
/// Writes safetensors files as the reference library does: tensors by type (widest first), then by name in UTF-8 order, without gaps; compact JSON
/// padded with spaces to 8 bytes; written beside the target and renamed, so that nothing half-written is ever seen. Tensors are streamed, never held
/// together.
/// </summary>
public static class SafeTensorsWriter
{
    /// <summary>Writes one file. Other loaders expect the metadata `format` = `pt`.</summary>
    /// <exception cref="ArgumentException">A name twice or reserved, a shape that is not whole bytes or overflows, a header over 100,000,000
    /// bytes.</exception>
    /// <exception cref="InvalidOperationException">A tensor wrote more or fewer bytes than its shape takes.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the file that was there before is untouched.</exception>
    public static void Write(
        string path, IReadOnlyList<TensorToWrite> tensors, IReadOnlyDictionary<string, string>? metadata = null,
            CancellationToken cancellation = default)
    {
        var order = Order(tensors);
        var header = Header(order, metadata);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> prefix = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)header.Length);
            stream.Write(prefix);
            stream.Write(header);
            foreach (var tensor in order)
            {
                cancellation.ThrowIfCancellationRequested();
                using var bounded = new CountedStream(stream, tensor.Name, Bytes(tensor), cancellation);
                tensor.WriteTo(bounded);
                bounded.ThrowIfShort();
            }
            cancellation.ThrowIfCancellationRequested();
        });
    }

    /// <summary>Bytes a tensor takes in a file.</summary>
    /// <exception cref="ArgumentException">The shape is negative, overflows, or is not whole bytes.</exception>
    public static long Bytes(TensorToWrite tensor)
    {
        if (tensor.Shape.Any(d => d < 0)) throw new ArgumentException($"{tensor.Name}: a dimension is negative.", nameof(tensor));
        if (tensor.Shape.Length > TensorSize.MaxRank)
            throw new ArgumentException($"{tensor.Name}: more than {TensorSize.MaxRank} dimensions.", nameof(tensor));
        if (!TensorSize.TryBytes(tensor.Type, tensor.Shape, out var bytes, out var problem))
            throw new ArgumentException($"{tensor.Name}: {problem}.", nameof(tensor));
        return bytes;
    }

    private static List<TensorToWrite> Order(IReadOnlyList<TensorToWrite> tensors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var tensor in tensors)
        {
            if (tensor.Name == "__metadata__" || !names.Add(tensor.Name))
                throw new ArgumentException($"{tensor.Name}: the name is {(tensor.Name == "__metadata__" ? "reserved" : "given twice")}.",
                    nameof(tensors));
        }
        // UTF-8 order is the order of code points, which UTF-16's is not above U+FFFF.
        return [.. tensors.Select(t => (Tensor: t, Key: Encoding.UTF8.GetBytes(t.Name)))
            .Order(Comparer<(TensorToWrite Tensor, byte[] Key)>.Create(static (a, b) =>
                a.Tensor.Type != b.Tensor.Type ? b.Tensor.Type.CompareTo(a.Tensor.Type) : a.Key.AsSpan().SequenceCompareTo(b.Key)))
            .Select(p => p.Tensor)];
    }

    /// <summary>The JSON in front of tensors that follow each other in this order, padded to 8 bytes.</summary>
    internal static byte[] Header(List<TensorToWrite> order, IReadOnlyDictionary<string, string>? metadata)
    {
        var json = new StringBuilder("{");
        if (metadata is not null)
        {
            json.Append("\"__metadata__\":{");
            foreach (var (key, value) in metadata.OrderBy(p => p.Key, StringComparer.Ordinal))
            {
                if (json[^1] != '{') json.Append(',');
                Quote(json, key);
                json.Append(':');
                Quote(json, value);
            }
            json.Append('}');
        }
        var position = 0L;
        foreach (var tensor in order)
        {
            if (json.Length > 1) json.Append(',');
            Quote(json, tensor.Name);
            var end = checked(position + Bytes(tensor));
            json.Append(CultureInfo.InvariantCulture,
                $":{{\"dtype\":\"{tensor.Type.FileName()}\",\"shape\":[{string.Join(',', tensor.Shape)}],\"data_offsets\":[{position},{end}]}}");
            position = end;
        }
        json.Append('}');
        var text = Encoding.UTF8.GetBytes(json.ToString());
        var padded = new byte[(text.Length + 7) & ~7];
        if (padded.Length > SafeTensorsHeader.MaxBytes)
            throw new ArgumentException($"The header would take {padded.Length} bytes, at most {SafeTensorsHeader.MaxBytes} are allowed.");
        padded.AsSpan().Fill((byte)' ');
        text.CopyTo(padded, 0);
        return padded;
    }

    // The escapes of the reference's serializer: only what JSON demands.
    private static void Quote(StringBuilder json, string text)
    {
        json.Append('"');
        foreach (var c in text)
        {
            json.Append(c switch { '"' => "\\\"", '\\' => "\\\\", '\b' => "\\b", '\f' => "\\f", '\n' => "\\n", '\r' => "\\r", '\t' => "\\t",
                _ => null });
            if (c < ' ' && c is not ('\b' or '\f' or '\n' or '\r' or '\t')) json.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else if (c is not ('"' or '\\') && c >= ' ') json.Append(c);
        }
        json.Append('"');
    }
}
