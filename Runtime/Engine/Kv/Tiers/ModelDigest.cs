using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Quilt.Formats.Checkpoints;

namespace Quilt.Runtime.Kv.Tiers;

/// <summary>
/// Tells one model's weights from another's without reading all of them. It covers config.json, byte for byte, and of every file of weights, in the
/// order of their names: its name, its size, and its content, whole up to 16 MiB; of a larger one the header (names, types, shapes and places of all
/// tensors) and 64 samples of 4 KiB spread evenly over the rest, the last bytes among them. Times and folders do not count, so that a copy of a model
/// is the same model. What it cannot see is a change of a large file that keeps its header and size and leaves every sample as it was.
/// </summary>
internal static class ModelDigest
{
    private const int Whole = 16 << 20, Samples = 64, SampleBytes = 4096;

    /// <summary>The digest, 32 bytes.</summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static byte[] Of(Checkpoint checkpoint) => Of(Path.Combine(checkpoint.Folder, "config.json"), checkpoint.WeightFiles);

    /// <summary>The digest of a configuration and files of weights.</summary>
    public static byte[] Of(string config, IReadOnlyList<string> weights)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        AddSized(hash, File.ReadAllBytes(config));
        var buffer = new byte[1 << 16];
        foreach (var path in weights.OrderBy(Path.GetFileName, StringComparer.Ordinal))
        {
            using var file = File.OpenHandle(path);
            var size = RandomAccess.GetLength(file);
            AddSized(hash, Encoding.UTF8.GetBytes(Path.GetFileName(path)));
            AddNumber(hash, size);
            if (size <= Whole)
            {
                Add(hash, file, 0, size, buffer);
                continue;
            }
            var header = HeaderBytes(file, size);
            Add(hash, file, 0, header, buffer);
            var span = size - header - SampleBytes;
            for (var i = 0; i < Samples && span > 0; i++) Add(hash, file, header + (long)((Int128)span * i / (Samples - 1)), SampleBytes, buffer);
        }
        return hash.GetHashAndReset();
    }

    // A safetensors file begins with the length of its header, 8 bytes, and the header.
    private static long HeaderBytes(Microsoft.Win32.SafeHandles.SafeFileHandle file, long size)
    {
        Span<byte> length = stackalloc byte[sizeof(ulong)];
        RandomAccess.Read(file, length, 0);
        return BinaryPrimitives.ReadUInt64LittleEndian(length) is var header && header < (ulong)size - sizeof(ulong)
            ? (long)header + sizeof(ulong)
            : 0;
    }

    private static void Add(IncrementalHash hash, Microsoft.Win32.SafeHandles.SafeFileHandle file, long start, long count, byte[] buffer)
    {
        while (count > 0)
        {
            var read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(count, buffer.Length)), start);
            if (read == 0) return;
            hash.AppendData(buffer, 0, read);
            (start, count) = (start + read, count - read);
        }
    }

    private static void AddSized(IncrementalHash hash, byte[] bytes)
    {
        AddNumber(hash, bytes.Length);
        hash.AppendData(bytes);
    }

    private static void AddNumber(IncrementalHash hash, long number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        hash.AppendData(bytes);
    }
}
