using System.Runtime.InteropServices;
using System.Text;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;

namespace Quilt.Cli.Synth;

/// <summary>
/// The random content of one tensor: a counter run through SplitMix64, begun from the checkpoint's seed and the tensor's name, so that a tensor has
/// the same bytes wherever it stands. Written in pieces that stay in the cache.
/// </summary>
internal sealed class RandomBytes(string tensor, ulong seed)
{
    private const int PieceBytes = 1 << 16;
    private static readonly byte[] Fp8Codes = [
        .. Enumerable.Range(0, 256).Select(i => Float8E4M3.Encode(((2 * i) - 255) / 255f * Float8E4M3.MaxValue))];
    private ulong state = Mix(seed + Hash(tensor));

    /// <summary>Standard deviation of <see cref="WriteInt4"/>'s codes around 8.</summary>
    public const float Int4Deviation = 4.61f;

    /// <summary>Standard deviation of <see cref="WriteFp8"/>'s values.</summary>
    public const float Fp8Deviation = Float8E4M3.MaxValue / 1.732f;

    /// <summary>4-bit codes, all sixteen alike; two a byte.</summary>
    public void WriteInt4(Stream to, long bytes) => WritePieces(to, bytes, static (_, _) => { });

    /// <summary>E4M3 codes of numbers that lie evenly between −448 and 448; no NaN.</summary>
    public void WriteFp8(Stream to, long bytes) => WritePieces(to, bytes, static (piece, _) =>
    {
        foreach (ref var code in piece) code = Fp8Codes[code];
    });

    /// <summary>bfloat16 numbers that lie evenly around <paramref name="mean"/> with a standard deviation.</summary>
    public void WriteBFloat16(Stream to, long count, float mean, float deviation)
    {
        var table = new ushort[1 << 16];
        for (var i = 0; i < table.Length; i++) table[i] = ((BFloat16)Even(i, mean, deviation)).Bits;
        WritePieces(to, count * 2, (piece, _) =>
        {
            foreach (ref var value in MemoryMarshal.Cast<byte, ushort>(piece)) value = table[value];
        });
    }

    /// <summary>float32 numbers that lie evenly around <paramref name="mean"/> with a standard deviation.</summary>
    public void WriteFloat32(Stream to, long count, float mean, float deviation) => WritePieces(to, count * 4, (piece, _) =>
    {
        var bits = MemoryMarshal.Cast<byte, uint>(piece);
        var values = MemoryMarshal.Cast<byte, float>(piece);
        for (var i = 0; i < bits.Length; i++) values[i] = Even((int)(bits[i] >> 16), mean, deviation);
    });

    private static float Even(int i, float mean, float deviation) => mean + (((2 * i) - 65535) / 65535f * 1.732f * deviation);

    private void WritePieces(Stream to, long bytes, Action<Span<byte>, long> turn)
    {
        var buffer = new byte[(int)Math.Min(PieceBytes, (bytes + 7) & ~7L)];
        for (var done = 0L; done < bytes; done += buffer.Length)
        {
            foreach (ref var word in MemoryMarshal.Cast<byte, ulong>(buffer.AsSpan())) word = Mix(state += 0x9E3779B97F4A7C15);
            var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, bytes - done));
            turn(piece, done);
            to.Write(piece);
        }
    }

    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }

    // FNV-1a: the same on every machine and in every run, which string.GetHashCode is not.
    private static ulong Hash(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var b in Encoding.UTF8.GetBytes(text)) hash = (hash ^ b) * 1099511628211UL;
        return hash;
    }
}
