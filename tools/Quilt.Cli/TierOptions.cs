using System.CommandLine;
using Quilt.Cluster.Tiers;
using Quilt.Runtime;

namespace Quilt.Cli;

/// <summary>What lies behind a model's cache of keys and values.</summary>
internal sealed class TierOptions
{
    private readonly Option<double?> host = TypedOption.Real("--kv-offloading-size",
        "Memory for keys and values that the cache gives up, in GiB; by default none.");
    private readonly Option<string?> disk = new("--kv-disk")
    { Description = "Folder for a file of cached keys and values, which the next start begins with.", HelpName = "FOLDER" };
    private readonly Option<double?> diskSize = TypedOption.Real("--kv-disk-size", "Size of that file in GiB; 10.");
    private readonly Option<string?> remote = new("--kv-remote")
    { Description = "Server that speaks RESP (Redis), where other engines of the model find them too.", HelpName = "redis://HOST:PORT" };

    /// <summary>All of them.</summary>
    public IReadOnlyList<Option> All => [host, disk, diskSize, remote];

    /// <summary>Adds all of them to a verb.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in All) command.Options.Add(option);
    }

    /// <summary>The engine's options with them.</summary>
    /// <exception cref="UsageException">A size is none, or the URL is.</exception>
    public EngineOptions Read(ParseResult parsed, EngineOptions options)
    {
        if (parsed.GetValue(diskSize) is not null && parsed.GetValue(disk) is null)
            throw new UsageException($"{diskSize.Name}: expected {disk.Name} beside it, found none");
        var read = options with
        {
            KvHostMemory = Bytes(parsed, host) ?? options.KvHostMemory,
            KvDisk = parsed.GetValue(disk) ?? options.KvDisk,
            KvDiskSize = Bytes(parsed, diskSize) ?? options.KvDiskSize,
        };
        if (parsed.GetValue(remote) is not { } url) return read;
        try
        {
            return read.WithRemoteTier(url);
        }
        catch (ArgumentException thrown)
        {
            throw new UsageException(thrown.Message.Replace("KvRemote", remote.Name, StringComparison.Ordinal));
        }
    }

    private static long? Bytes(ParseResult parsed, Option<double?> option) => parsed.GetValue(option) is not { } gib ? null
        : gib * (1L << 30) is >= 1 and <= 1L << 50 and var bytes ? (long)bytes
        : throw new UsageException(FormattableString.Invariant($"{option.Name}: expected more than 0 and at most {1L << 20} GiB, found {gib}"));
}
