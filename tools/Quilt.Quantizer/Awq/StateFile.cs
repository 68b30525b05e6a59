using System.Runtime.InteropServices;
using Quilt.Formats;
using Quilt.Formats.Tensors;

namespace Quilt.Quantizer.Awq;

/// <summary>
/// The residual streams of all samples as they enter a layer, [tokens, model] float32 in a file of its own: what an interrupted run goes on with, and
/// where they are while they do not fit into memory. A file appears whole.
/// </summary>
internal sealed class StateFile(string folder, long tokens, int model)
{
    private const int Piece = 1 << 20;

    /// <summary>Bytes of one.</summary>
    public long Bytes => tokens * model * sizeof(float);

    /// <summary>Whether the streams that enter a layer are there.</summary>
    public bool Has(int layer) => new FileInfo(PathOf(layer)) is { Exists: true } file && file.Length == Bytes;

    /// <summary>Forgets those of a layer.</summary>
    public void Delete(int layer) => File.Delete(PathOf(layer));

    /// <summary>Reads some rows.</summary>
    /// <exception cref="BadInputException">The file is too short.</exception>
    public void Read(int layer, long first, Span<float> rows)
    {
        using var handle = File.OpenHandle(PathOf(layer));
        var at = first * model * sizeof(float);
        while (rows.Length > 0)
        {
            var bytes = MemoryMarshal.AsBytes(rows[..Math.Min(rows.Length, Piece)]);
            var read = RandomAccess.Read(handle, bytes, at) / sizeof(float);
            if (read == 0) throw new BadInputException(PathOf(layer), null, $"expected {Bytes} bytes, found the file's end at {at}");
            rows = rows[read..];
            at += (long)read * sizeof(float);
        }
    }

    /// <summary>Takes rows that come next.</summary>
    public delegate void RowWriter(ReadOnlySpan<float> rows);

    /// <summary>Writes all rows, in pieces from the first on, as <paramref name="make"/> makes them.</summary>
    public void Write(int layer, Action<RowWriter> make) => AtomicFile.Write(PathOf(layer), stream =>
    {
        make(rows =>
        {
            for (var at = 0; at < rows.Length; at += Piece)
                stream.Write(MemoryMarshal.AsBytes(rows.Slice(at, Math.Min(Piece, rows.Length - at))));
        });
        if (stream.Position != Bytes) throw new InvalidOperationException($"{stream.Position} bytes of states were written, not {Bytes}.");
    });

    private string PathOf(int layer) => Path.Combine(folder, FormattableString.Invariant($"states-{layer}.f32"));
}
