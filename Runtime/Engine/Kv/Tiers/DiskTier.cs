using Quilt.Formats;

namespace Quilt.Runtime.Kv.Tiers;

/// <summary>
/// Images in a <see cref="BlockFile"/>, which outlives the process: those unused longest give way. The index is in memory, rebuilt from the file when
/// it is opened. Where the disk has no room for all of a budget the tier is smaller, and says so.
/// </summary>
internal sealed class DiskTier : KvTier
{
    private readonly Lock access = new();
    private readonly BlockFile file;
    private readonly SlotTable table;
    private readonly string path;
    private readonly int slots;
    private volatile string? warning;

    /// <summary>The tier of a space in a folder, which is made if need be; the file in it is named after the space.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="space">What its images are.</param>
    /// <param name="budget">Most bytes of the file.</param>
    /// <exception cref="ArgumentException">The budget holds no image.</exception>
    /// <exception cref="IOException">The file cannot be opened or made.</exception>
    /// <exception cref="UnauthorizedAccessException">There is no permission.</exception>
    /// <exception cref="BadInputException">In its place is something else.</exception>
    public DiskTier(string folder, KvSpace space, long budget)
    {
        slots = BlockFile.SlotsIn(budget, space.ImageBytes);
        if (slots < 1) throw new ArgumentException($"KvDiskSize: expected room for a block of {space.ImageBytes} bytes, found {budget} bytes.");
        path = PathIn(folder, space);
        Directory.CreateDirectory(folder);
        file = Open(space, budget);
        slots = file.Slots;
        table = new SlotTable(slots);
        try
        {
            Fill();
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public override KvTierKind Kind => KvTierKind.Disk;

    public override string? Warning => warning;

    /// <summary>Images there are.</summary>
    public int Count => table.Count;

    /// <summary>Images there can be.</summary>
    public int Slots => table.Slots;

    /// <summary>The file of a space in a folder.</summary>
    public static string PathIn(string folder, KvSpace space) => Path.Combine(folder, $"quilt-{space.Name[..16]}.kv");

    public override bool Holds(BlockHash hash) => table.Holds(hash);

    public override bool TryRead(BlockHash hash, Span<byte> image)
    {
        lock (access)
        {
            if (!table.TryFind(hash, out var slot)) return false;
            try
            {
                if (file.TryRead(slot, hash, image)) return true;
            }
            catch (Exception thrown) when (IsOfFile(thrown))
            {
                Warn($"cannot be read: {thrown.Message}");
            }
            table.Drop(slot);
            return false;
        }
    }

    public override void Write(BlockHash hash, ReadOnlySpan<byte> image)
    {
        lock (access)
        {
            if (table.TryFind(hash, out _) || table.Take() is not (>= 0 and var slot)) return;
            try
            {
                file.Write(slot, hash, image);
                table.Bind(slot, hash);
            }
            catch (Exception thrown) when (IsOfFile(thrown))
            {
                // The slot is not used again: where there is no room for it there will be none the next time.
                Warn($"goes on as a smaller tier: {thrown.Message}");
            }
        }
    }

    public override void Touch(BlockHash hash)
    {
        lock (access) table.TryFind(hash, out _);
    }

    public override void Forget()
    {
        lock (access)
        {
            try
            {
                for (var slot = 0; slot < slots; slot++)
                {
                    if (!table.IsBound(slot)) continue;
                    table.Drop(slot);
                    file.Erase(slot);
                }
            }
            catch (Exception thrown) when (IsOfFile(thrown))
            {
                Warn($"cannot be written: {thrown.Message}");
            }
        }
    }

    public override void Dispose()
    {
        lock (access) file.Dispose();
    }

    // Where the disk has not room for all of it, half of it may do.
    private BlockFile Open(KvSpace space, long budget)
    {
        var wanted = slots;
        while (true)
        {
            try
            {
                return BlockFile.Open(path, space, wanted);
            }
            catch (IOException thrown) when (thrown.HResult == NoSpace && wanted > 1)
            {
                wanted /= 2;
                Warn($"is smaller than the {budget} bytes asked for, which the disk has not");
            }
        }
    }

    // ENOSPC of Linux and macOS, as .NET hands it on.
    private const int NoSpace = 28;

    private void Fill()
    {
        // Those used last are put last.
        foreach (var (slot, hash) in file.Entries()) table.Put(slot, hash);
    }

    private void Warn(string what) => warning ??= $"disk tier {path} {what}";

    private static bool IsOfFile(Exception thrown) => thrown is IOException or UnauthorizedAccessException or ObjectDisposedException;
}
