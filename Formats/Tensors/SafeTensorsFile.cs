using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Quilt.Formats.Tensors;

/// <summary>
/// One safetensors file, open for reading. Opening reads the header only; tensors are read when asked for, with positioned reads and not through a
/// map, so that a file cut short while it is open is an error and not a crash. Reading is safe from several threads. Format: 8 bytes of header
/// length, JSON, data (github.com/huggingface/safetensors).
/// </summary>
public sealed class SafeTensorsFile : IDisposable
{
    private readonly SafeFileHandle handle;

    private SafeTensorsFile(string path, SafeFileHandle handle, Dictionary<string, string> metadata, Dictionary<string, TensorEntry> tensors)
    {
        Path = path;
        this.handle = handle;
        Metadata = metadata;
        Tensors = tensors;
    }

    /// <summary>Full path.</summary>
    public string Path { get; }

    /// <summary>The header's `__metadata__`; empty where there is none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Every tensor by its name in the file.</summary>
    public IReadOnlyDictionary<string, TensorEntry> Tensors { get; }

    /// <summary>Opens and checks a file.</summary>
    /// <exception cref="BadInputException">The file cannot be read, or breaks a rule of the format; nothing large is allocated on the
    /// way.</exception>
    public static SafeTensorsFile Open(string path)
    {
        path = System.IO.Path.GetFullPath(path);
        var handle = OpenHandle(path);
        try
        {
            var length = RandomAccess.GetLength(handle);
            Span<byte> prefix = stackalloc byte[8];
            if (length < 8) throw new BadInputException(path, null, $"is no safetensors file: {length} bytes are too few for a header");
            ReadFully(handle, path, null, prefix, 0);
            var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
            if (headerLength > SafeTensorsHeader.MaxBytes)
                throw new BadInputException(path, null, $"the header claims {headerLength} bytes, at most {SafeTensorsHeader.MaxBytes} are allowed");
            if ((long)headerLength > length - 8)
                throw new BadInputException(path, null,
                    $"the header claims {headerLength} bytes, the file holds {length - 8} after the length: it is truncated");
            var json = new byte[(int)headerLength];
            ReadFully(handle, path, null, json, 8);
            var (metadata, tensors) = SafeTensorsHeader.Parse(path, json, 8 + (long)headerLength, length);
            return new SafeTensorsFile(path, handle, metadata, tensors);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Reads <paramref name="into"/>.Length bytes of a tensor, from byte <paramref name="start"/> of it.</summary>
    /// <exception cref="BadInputException">The file has become shorter, or the disk failed.</exception>
    public void Read(TensorEntry entry, Span<byte> into, long start = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        if (start > entry.Length - into.Length) throw new ArgumentOutOfRangeException(nameof(start), $"{entry.Name} has {entry.Length} bytes.");
        ReadFully(handle, Path, entry.Name, into, entry.Offset + start);
    }

    /// <summary>A whole tensor of F32, BF16, F16, F64 or F8_E4M3 as float32 (F64 is rounded, the others are exact).</summary>
    /// <exception cref="BadInputException">No such tensor, another type, or too large for one array.</exception>
    public float[] ReadFloats(string name) => TensorValues.ReadFloats(this, Find(name));

    /// <summary>A whole tensor of signed, unsigned or boolean integers; U64 above 2^63 is refused.</summary>
    /// <exception cref="BadInputException">No such tensor, another type, or too large for one array.</exception>
    public long[] ReadIntegers(string name) => TensorValues.ReadIntegers(this, Find(name));

    /// <inheritdoc/>
    public void Dispose() => handle.Dispose();

    private TensorEntry Find(string name) =>
        Tensors.TryGetValue(name, out var entry) ? entry : throw new BadInputException(Path, name, "no such tensor");

    private static SafeFileHandle OpenHandle(string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new BadInputException(path, null, e is FileNotFoundException or DirectoryNotFoundException
                ? "no such file"
                : $"cannot be opened: {e.Message}", e);
        }
    }

    private static void ReadFully(SafeFileHandle handle, string path, string? name, Span<byte> into, long offset)
    {
        try
        {
            while (into.Length > 0)
            {
                var read = RandomAccess.Read(handle, into, offset);
                if (read == 0) throw new BadInputException(path, name, "the file ended early: it was cut short after it was opened");
                into = into[read..];
                offset += read;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(path, name, $"cannot be read: {e.Message}", e);
        }
    }
}
