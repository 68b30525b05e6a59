using Quilt.Formats;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Models;

namespace Quilt.Runtime.Kv.Tiers;

/// <summary>The tiers that options ask for. One that cannot be had is left out, and said to be: a cache is not worth failing for.</summary>
/// <param name="Tiers">Those there are.</param>
/// <param name="Missing">What became of the others.</param>
internal sealed record TierSetup(KvTiers Tiers, IReadOnlyList<string> Missing)
{
    /// <summary>What the engine's owner should know, so far.</summary>
    public IEnumerable<string> Warnings => Missing.Concat(Tiers.Warnings);

    /// <summary>Opens them; null where none is asked for.</summary>
    /// <exception cref="ArgumentException">A budget holds not even a block.</exception>
    /// <exception cref="NotSupportedException">The cache lies on a device that has no tiers.</exception>
    public static TierSetup? Open(LoadedModel model, IExecutor executor, EngineOptions options)
    {
        if (!options.HasTiers) return null;
        var image = new KvImage(executor.Cache, executor.Spec.Layers);
        var digest = model.Digest ?? throw new InvalidOperationException("The model was opened without its digest.");
        var space = KvSpace.Of(digest, executor.Spec, executor.Cache.Layout, options, model.Device, image.Bytes);
        var (tiers, missing) = (new List<KvTier>(), new List<string>());
        try
        {
            if (options.KvHostMemory > 0) tiers.Add(new HostTier(space.ImageBytes, options.KvHostMemory));
            if (options.KvDisk is { } folder) Add("disk", () => new DiskTier(folder, space, options.KvDiskSize));
            if (options.KvRemote is { } remote) Add("remote", () => remote(space));
        }
        catch
        {
            foreach (var tier in tiers) tier.Dispose();
            throw;
        }
        return new(new KvTiers(image, [.. tiers]), missing);

        void Add(string name, Func<KvTier> open)
        {
            try
            {
                tiers.Add(open());
            }
            catch (Exception thrown) when (thrown is IOException or UnauthorizedAccessException or BadInputException)
            {
                missing.Add($"there is no {name} tier of the cache: {thrown.Message}");
            }
        }
    }
}
