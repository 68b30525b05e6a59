using System.Buffers.Binary;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using System.Text;
using Quilt.Formats;
using Quilt.Formats.Checkpoints.Packed;

namespace Quilt.Quantizer.Packing;

/// <summary>
/// The checksums of packing. A file's own: SHA-256 of its data, followed by its header in which the checksum's digits are 0. The source's: SHA-256 of
/// the lines that sha256sum prints for config.json and the files of weights, in the order of their names.
/// </summary>
internal static class PackedDigest
{
    private const int PieceBytes = 1 << 22;

    /// <summary>The checksum of what is packed: every byte of it is read.</summary>
    /// <param name="files">Full paths, config.json first.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="BadInputException">One cannot be read.</exception>
    public static string OfSource(IReadOnlyList<string> files, CancellationToken cancel)
    {
        var lines = new string[files.Count];
        try
        {
            Parallel.For(0, files.Count, new ParallelOptions { CancellationToken = cancel }, i =>
            {
                using var stream = Open(files[i]);
                using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                Append(hash, stream, stream.Length, cancel);
                lines[i] = $"{Convert.ToHexStringLower(hash.GetHashAndReset())}  {Path.GetFileName(files[i])}\n";
            });
        }
        catch (AggregateException several)
        {
            ExceptionDispatchInfo.Throw(several.InnerExceptions[0]);
        }
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(lines))));
    }

    /// <summary>Reads a packed file whole and holds it to its checksum.</summary>
    /// <exception cref="BadInputException">They differ: the file is damaged.</exception>
    public static void Check(string path, PackedHeader tag, CancellationToken cancel)
    {
        using var stream = Open(path);
        Span<byte> length = stackalloc byte[sizeof(ulong)];
        stream.ReadExactly(length);
        var header = new byte[checked((int)BinaryPrimitives.ReadUInt64LittleEndian(length))];
        stream.ReadExactly(header);
        Replace(header, tag.Digest, new string('0', tag.Digest.Length));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, stream, stream.Length - stream.Position, cancel);
        hash.AppendData(header);
        var found = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (found != tag.Digest)
            throw new BadInputException(path, PackedHeader.DigestKey, $"expected the checksum {tag.Digest}, found {found}: the file is damaged");
    }

    /// <summary>Puts other digits in the place of a checksum in a header; nothing happens where it is not there.</summary>
    public static void Replace(Span<byte> header, string digits, string by)
    {
        var place = $"\"{PackedHeader.DigestKey}\":\"";
        var at = header.IndexOf(Encoding.ASCII.GetBytes(place + digits + '"'));
        if (at >= 0) Encoding.ASCII.GetBytes(by, header[(at + place.Length)..]);
    }

    private static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(path, null, $"cannot be read: {e.Message}", e);
        }
    }

    private static void Append(IncrementalHash hash, FileStream from, long bytes, CancellationToken cancel)
    {
        var piece = new byte[(int)Math.Min(PieceBytes, Math.Max(1, bytes))];
        while (bytes > 0)
        {
            cancel.ThrowIfCancellationRequested();
            var read = from.Read(piece, 0, (int)Math.Min(piece.Length, bytes));
            if (read == 0) throw new BadInputException(from.Name, null, "the file ended early: it was cut short while it was read");
            hash.AppendData(piece, 0, read);
            bytes -= read;
        }
    }
}
