using Quilt.Kernels.Devices;

namespace Quilt.Runtime.Kv.Tiers;

/// <summary>
/// Images in the host's memory, as many as a budget holds; those unused longest give way. The memory is taken from the system as it is first used.
/// </summary>
internal sealed class HostTier : KvTier
{
    private readonly Lock access = new();
    private readonly NativeBuffer memory;
    private readonly SlotTable table;
    private readonly int imageBytes;
    private readonly int slots;

    /// <summary>An empty tier.</summary>
    /// <param name="imageBytes">Bytes of an image.</param>
    /// <param name="budget">Most bytes of all images.</param>
    /// <exception cref="ArgumentException">The budget holds no image.</exception>
    public HostTier(int imageBytes, long budget)
    {
        slots = (int)Math.Min(budget / imageBytes, int.MaxValue - 1);
        if (slots < 1) throw new ArgumentException($"KvHostMemory: expected at least the {imageBytes} bytes of a block, found {budget}.");
        this.imageBytes = imageBytes;
        memory = new NativeBuffer((long)slots * imageBytes, zeroed: true);
        table = new SlotTable(slots);
    }

    public override KvTierKind Kind => KvTierKind.Host;

    public override string? Warning => null;

    /// <summary>Images there are.</summary>
    public int Count => table.Count;

    /// <summary>Images there can be.</summary>
    public int Slots => slots;

    public override bool Holds(BlockHash hash) => table.Holds(hash);

    public override bool TryRead(BlockHash hash, Span<byte> image)
    {
        lock (access)
        {
            if (!table.TryFind(hash, out var slot)) return false;
            Slot(slot).CopyTo(image);
            return true;
        }
    }

    public override void Write(BlockHash hash, ReadOnlySpan<byte> image)
    {
        lock (access)
        {
            if (table.TryFind(hash, out _)) return;
            var slot = table.Take();
            image.CopyTo(Slot(slot));
            table.Bind(slot, hash);
        }
    }

    public override void Touch(BlockHash hash)
    {
        lock (access) table.TryFind(hash, out _);
    }

    public override void Forget()
    {
        lock (access) table.Clear();
    }

    public override void Dispose() => memory.Dispose();

    private Span<byte> Slot(int slot) => memory.Span<byte>((long)slot * imageBytes, imageBytes);
}
