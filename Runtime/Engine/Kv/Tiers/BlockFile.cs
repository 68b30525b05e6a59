using System.Buffers.Binary;
using System.IO.Hashing;
using Microsoft.Win32.SafeHandles;
using Quilt.Formats;

namespace Quilt.Runtime.Kv.Tiers;

/// <summary>
/// A file of images in slots of one size, its room taken when it is made. All numbers are little-endian:
/// <list type="bullet">
/// <item>bytes 0 .. 4095, the <i>header</i>: magic "QUILTKV1" (8), version (u32), bytes of an entry (u32), bytes of an image (u64), bytes between
/// slots (u64), slots (u64), digest of the <see cref="KvSpace"/> (32), XxHash3 of the 72 bytes before it (u64); zeros follow;</item>
/// <item>from 4096, the <i>entries</i>, 64 bytes for each slot: stamp (u64, larger for later ones), length of the image (u64), block hash (32),
/// XxHash3 of the image (u64), XxHash3 of the 56 bytes before it (u64);</item>
/// <item>behind them, from the next multiple of 4096, the <i>slots</i>, an image at the beginning of each.</item>
/// </list>
/// An image is written before its entry. Whatever is cut off in between, an entry that does not hold its own sum, or whose image does not, is no
/// image.
/// </summary>
internal sealed class BlockFile : IDisposable
{
    private const int Page = 4096, EntryBytes = 64, HeaderBytes = 80;
    private const uint Version = 1;
    private static readonly byte[] Magic = "QUILTKV1"u8.ToArray();
    private readonly SafeFileHandle handle;
    private readonly KvSpace space;
    private readonly long slotBytes;
    private readonly long firstSlot;

    private BlockFile(SafeFileHandle handle, KvSpace space, int slots)
    {
        (this.handle, this.space, Slots) = (handle, space, slots);
        slotBytes = SlotBytes(space.ImageBytes);
        firstSlot = FirstSlot(slots);
    }

    /// <summary>Slots there are.</summary>
    public int Slots { get; }

    /// <summary>Slots that a file of so many bytes has; 0: it is too small for any.</summary>
    public static int SlotsIn(long bytes, int imageBytes)
    {
        var slots = Math.Min((bytes - Page) / (SlotBytes(imageBytes) + EntryBytes), int.MaxValue / 2);
        while (slots > 0 && FirstSlot(slots) + (slots * SlotBytes(imageBytes)) > bytes) slots--;
        return (int)Math.Max(0, slots);
    }

    /// <summary>
    /// Opens the file of a space, or makes it, for its owner alone and for this process alone. One that is damaged, or of another size or space, is
    /// made anew; one that is no such file is left as it is.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="space">What its images are.</param>
    /// <param name="slots">How many slots it is to have.</param>
    /// <exception cref="IOException">Another process has it, the disk is full, it cannot be read or written.</exception>
    /// <exception cref="UnauthorizedAccessException">There is no permission.</exception>
    /// <exception cref="BadInputException">It is a link, a folder or somebody else's file.</exception>
    public static BlockFile Open(string path, KvSpace space, int slots)
    {
        var info = new FileInfo(path);
        if (info.LinkTarget is { } target) throw new BadInputException(path, null, $"expected a file of cache blocks, found a link to {target}");
        if (Directory.Exists(path)) throw new BadInputException(path, null, "expected a file of cache blocks, found a folder");
        if (!info.Exists) return Make(path, space, slots);
        var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, FileOptions.RandomAccess);
        try
        {
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(handle, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            Span<byte> header = stackalloc byte[HeaderBytes];
            var read = ReadWhole(handle, header, 0);
            if (read > 0 && !header[..Math.Min(read, Magic.Length)].SequenceEqual(Magic.AsSpan(0, Math.Min(read, Magic.Length))))
                throw new BadInputException(path, "header", "expected a file of cache blocks, found another file, which is left as it is");
            var file = new BlockFile(handle, space, slots);
            if (file.Header().AsSpan().SequenceEqual(header) && RandomAccess.GetLength(handle) == file.Length) return file;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
        handle.Dispose();
        File.Delete(path);
        return Make(path, space, slots);
    }

    /// <summary>The slots whose entries are whole, those written last at the end.</summary>
    public List<(int Slot, BlockHash Hash)> Entries()
    {
        var found = new List<(ulong Stamp, int Slot, BlockHash Hash)>();
        var buffer = new byte[EntryBytes * 1024];
        for (var slot = 0; slot < Slots;)
        {
            var count = Math.Min(1024, Slots - slot);
            if (ReadWhole(handle, buffer.AsSpan(0, count * EntryBytes), EntryAt(slot)) < count * EntryBytes) break;
            for (var i = 0; i < count; i++, slot++)
            {
                var entry = buffer.AsSpan(i * EntryBytes, EntryBytes);
                if (!IsWhole(entry)) continue;
                var stamp = BinaryPrimitives.ReadUInt64LittleEndian(entry);
                Stamp = Math.Max(Stamp, stamp);
                found.Add((stamp, slot, BlockHash.From(entry[16..48])));
            }
        }
        found.Sort((a, b) => a.Stamp.CompareTo(b.Stamp));
        return found.ConvertAll(one => (one.Slot, one.Hash));
    }

    /// <summary>Reads an image; false if the slot does not hold that one, whole.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public bool TryRead(int slot, BlockHash hash, Span<byte> image)
    {
        Span<byte> entry = stackalloc byte[EntryBytes];
        return ReadWhole(handle, entry, EntryAt(slot)) == EntryBytes && IsWhole(entry) && BlockHash.From(entry[16..48]) == hash
            && ReadWhole(handle, image, ImageAt(slot)) == image.Length
            && BinaryPrimitives.ReadUInt64LittleEndian(entry[48..]) == XxHash3.HashToUInt64(image);
    }

    /// <summary>Writes an image and then its entry.</summary>
    /// <exception cref="IOException">It cannot be written; the slot holds no image.</exception>
    public void Write(int slot, BlockHash hash, ReadOnlySpan<byte> image)
    {
        RandomAccess.Write(handle, image, ImageAt(slot));
        Span<byte> entry = stackalloc byte[EntryBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(entry, ++Stamp);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], (ulong)image.Length);
        hash.CopyTo(entry[16..]);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[48..], XxHash3.HashToUInt64(image));
        BinaryPrimitives.WriteUInt64LittleEndian(entry[56..], XxHash3.HashToUInt64(entry[..56]));
        RandomAccess.Write(handle, entry, EntryAt(slot));
    }

    /// <summary>Forgets what a slot holds, also for those who open the file later.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Erase(int slot)
    {
        Span<byte> nothing = stackalloc byte[EntryBytes];
        nothing.Clear();
        RandomAccess.Write(handle, nothing, EntryAt(slot));
    }

    public void Dispose() => handle.Dispose();

    private ulong Stamp { get; set; }

    private long Length => firstSlot + (Slots * slotBytes);

    private static BlockFile Make(string path, KvSpace space, int slots)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None, BufferSize = 0,
            PreallocationSize = FirstSlot(slots) + (slots * SlotBytes(space.ImageBytes)),
        };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var stream = new FileStream(path, options);
        try
        {
            var file = new BlockFile(stream.SafeFileHandle, space, slots);
            RandomAccess.SetLength(file.handle, file.Length);
            RandomAccess.Write(file.handle, file.Header(), 0);
            return file;
        }
        catch
        {
            stream.Dispose();
            File.Delete(path);
            throw;
        }
    }

    private byte[] Header()
    {
        var header = new byte[HeaderBytes];
        Magic.CopyTo(header, 0);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(8), Version);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(12), EntryBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(16), (ulong)space.ImageBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(24), (ulong)slotBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(32), (ulong)Slots);
        space.Digest.CopyTo(header.AsSpan(40));
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(72), XxHash3.HashToUInt64(header.AsSpan(0, 72)));
        return header;
    }

    private bool IsWhole(ReadOnlySpan<byte> entry) =>
        BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]) == (ulong)space.ImageBytes
        && BinaryPrimitives.ReadUInt64LittleEndian(entry[56..]) == XxHash3.HashToUInt64(entry[..56]);

    private static long EntryAt(int slot) => Page + ((long)slot * EntryBytes);

    private long ImageAt(int slot) => firstSlot + (slot * slotBytes);

    private static long SlotBytes(int imageBytes) => Paged(imageBytes);

    private static long FirstSlot(long slots) => Page + Paged(slots * EntryBytes);

    private static long Paged(long bytes) => (bytes + Page - 1) / Page * Page;

    private static int ReadWhole(SafeFileHandle handle, Span<byte> into, long at)
    {
        var read = 0;
        while (read < into.Length && RandomAccess.Read(handle, into[read..], at + read) is > 0 and var more) read += more;
        return read;
    }
}
