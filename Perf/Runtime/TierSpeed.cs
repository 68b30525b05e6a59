using System.Diagnostics;
using System.Globalization;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Kv.Tiers;

namespace Quilt.Perf.Runtime;

/// <summary>
/// How fast tiers take and give images, beside a plain copy in memory and a plain file written and read at once. The best of several rounds, since
/// other work of the machine only ever makes it slower.
/// </summary>
internal static class TierSpeed
{
    private const int ImageBytes = 4 << 20, Images = 64, Rounds = 5;

    /// <summary>Measures and prints a table.</summary>
    /// <param name="folder">Where files go, on the disk that is to be measured.</param>
    public static int Run(string folder)
    {
        Directory.CreateDirectory(folder);
        var image = new byte[ImageBytes];
        new Random(1).NextBytes(image);
        var names = Enumerable.Range(0, Images).Select(name => BlockHasher.Next(BlockHasher.DefaultRoot, [name])).ToArray();
        var space = new KvSpace(BlockHasher.DefaultRoot, ImageBytes);
        var plain = new byte[(long)Images * ImageBytes];
        Array.Fill(plain, (byte)1);
        Print("memory, plain copy", i => image.CopyTo(plain.AsSpan(i * ImageBytes)), i => plain.AsSpan(i * ImageBytes, ImageBytes).CopyTo(image));
        using (var host = new HostTier(ImageBytes, (long)Images * ImageBytes)) Print("memory tier", host, names, image);

        var path = Path.Combine(folder, "plain");
        using (var file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose, plain.Length))
        {
            Print("file, plain",
                i => RandomAccess.Write(file, image, (long)i * ImageBytes), i => RandomAccess.Read(file, image, (long)i * ImageBytes));
        }
        using (var disk = new DiskTier(folder, space, (Images * (ImageBytes + 64L)) + 16384)) Print("disk tier", disk, names, image);
        File.Delete(DiskTier.PathIn(folder, space));
        return 0;
    }

    private static void Print(string name, KvTier tier, BlockHash[] names, byte[] image)
    {
        // A tier writes what it has not: it forgets between two rounds.
        Print(name, i => tier.Write(names[i], image),
            i => _ = tier.TryRead(names[i], image) ? 0 : throw new InvalidOperationException("a miss"), tier.Forget);
    }

    private static void Print(string name, Action<int> write, Action<int> read, Action? before = null)
    {
        var (writes, reads) = (0.0, 0.0);
        for (var round = 0; round < Rounds; round++)
        {
            before?.Invoke();
            writes = Math.Max(writes, Speed(write));
            reads = Math.Max(reads, Speed(read));
        }
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {writes:0.0} GB/s | {reads:0.0} GB/s |"));
    }

    private static double Speed(Action<int> work)
    {
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < Images; i++) work(i);
        return (double)Images * ImageBytes / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9;
    }
}
