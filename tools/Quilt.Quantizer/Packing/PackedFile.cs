using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Quilt.Formats.Checkpoints.Packed;
using Quilt.Formats.Checkpoints.Storage;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights.Tiles;

namespace Quilt.Quantizer.Packing;

/// <summary>
/// One file of a packed model while it is written: tensors in the order in which they come, room for the header in front of them. What a weight has
/// begins at a multiple of 64 bytes; tensors of their own fill what lies between (docs/packing.md).
/// </summary>
internal sealed unsafe class PackedFile : IDisposable
{
    private const int PieceBytes = 1 << 24;
    private const int HeaderBytesATensor = 640;
    private readonly FileStream stream;
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly List<TensorToWrite> tensors = [];
    private readonly Dictionary<string, TileForm> weights = new(StringComparer.Ordinal);
    private readonly int number;
    private readonly int dataStart;
    private readonly CancellationToken cancel;
    private long written;

    /// <summary>Begins a file.</summary>
    /// <param name="path">The file, which must not exist.</param>
    /// <param name="number">Its number among the files, which no other has.</param>
    /// <param name="most">Most tensors that it will have.</param>
    /// <param name="cancel">Looked at in every piece.</param>
    public PackedFile(string path, int number, int most, CancellationToken cancel)
    {
        (this.number, this.cancel) = (number, cancel);
        dataStart = checked((most + 4) * HeaderBytesATensor);      // a multiple of the alignment, fillers included
        stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0);
        stream.Position = dataStart;
    }

    /// <summary>Names of all tensors so far.</summary>
    public IEnumerable<string> Names => tensors.Select(tensor => tensor.Name);

    /// <summary>Bytes of all tensors so far.</summary>
    public long Bytes => written;

    /// <summary>Adds a tensor as it is.</summary>
    public void Add(string name, DType type, long[] shape, ReadOnlySpan<byte> bytes)
    {
        tensors.Add(new TensorToWrite(name, type, shape, ReadOnlyMemory<byte>.Empty));
        Write(bytes);
    }

    /// <summary>Adds a matrix or a stack of them.</summary>
    /// <param name="name">Its name; of a stack without the number of an expert.</param>
    /// <param name="module">It, or the first of the stack, as it was stored.</param>
    /// <param name="experts">Matrices of the stack; 0: it is none.</param>
    /// <param name="memory">Its tiles.</param>
    public void Add(string name, StoredModule module, int experts, TileMemory memory)
    {
        weights.Add(name, new TileForm(experts, module.Rows, module.Columns, module.Form, module.CodeBits));
        long[] stack = experts == 0 ? [] : [experts];
        long tiles = (module.Rows + 15) / 16;
        Place($"{name}.{TileForm.Tiles}", DType.U32, memory.Codes);
        if (memory.Scales is { } scales) Place($"{name}.{TileForm.Scales}", module.Form.Scales!.Value, scales);
        if (memory.Zeros is { } zeros) Place($"{name}.{TileForm.Zeros}", DType.U8, zeros);
        if (module.ReadGroupIndex() is { } groups)
            Add($"{name}.{TileForm.Groups}", DType.I32, [groups.Length], MemoryMarshal.AsBytes(groups.AsSpan()));

        // [tiles, n, 16], where the number of bytes tells n.
        void Place(string full, DType type, NativeBuffer bytes)
        {
            var lines = bytes.Bytes / (Math.Max(1, experts) * tiles * 16 * (type.BitSize() / 8));
            Align();
            tensors.Add(new TensorToWrite(full, type, [.. stack, tiles, lines, 16], ReadOnlyMemory<byte>.Empty));
            for (var at = 0L; at < bytes.Bytes; at += PieceBytes)
                Write(new ReadOnlySpan<byte>(bytes.Data + at, (int)Math.Min(PieceBytes, bytes.Bytes - at)));
        }
    }

    /// <summary>Writes the header, and all that is left to the disk.</summary>
    /// <param name="source">SHA-256 of what was packed.</param>
    public void Finish(string source)
    {
        var header = new byte[dataStart - sizeof(ulong)];
        header.AsSpan().Fill((byte)' ');
        var none = new string('0', 2 * SHA256.HashSizeInBytes);
        var text = SafeTensorsWriter.Header(tensors, new Dictionary<string, string>
        {
            [PackedHeader.LayoutKey] = PackedHeader.Layout,
            [PackedHeader.VersionKey] = PackedHeader.Version,
            [PackedHeader.SourceKey] = source,
            [PackedHeader.DigestKey] = none,
            [PackedHeader.WeightsKey] = Weights(),
        });
        if (text.Length > header.Length)
            throw new InvalidOperationException($"{stream.Name}: the header takes {text.Length} bytes, {header.Length} were left for it.");
        text.CopyTo(header, 0);
        hash.AppendData(header);
        var digest = Convert.ToHexStringLower(hash.GetHashAndReset());
        PackedDigest.Replace(header, none, digest);

        Span<byte> length = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        stream.Position = 0;
        stream.Write(length);
        stream.Write(header);
        stream.Flush(flushToDisk: true);
    }

    public void Dispose()
    {
        stream.Dispose();
        hash.Dispose();
    }

    private void Align()
    {
        var rest = (int)(written % PackedHeader.Alignment);
        if (rest == 0) return;
        Span<byte> fill = stackalloc byte[PackedHeader.Alignment - rest];
        fill.Clear();
        Add(string.Create(CultureInfo.InvariantCulture, $"{PackedHeader.Filler}{number}.{tensors.Count}"), DType.U8, [fill.Length], fill);
    }

    private void Write(ReadOnlySpan<byte> bytes)
    {
        cancel.ThrowIfCancellationRequested();
        hash.AppendData(bytes);
        stream.Write(bytes);
        written += bytes.Length;
    }

    private string Weights()
    {
        using var text = new MemoryStream();
        using (var writer = new Utf8JsonWriter(text))
        {
            writer.WriteStartObject();
            foreach (var (name, form) in weights)
            {
                writer.WritePropertyName(name);
                form.Write(writer);
            }
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(text.ToArray());
    }
}
