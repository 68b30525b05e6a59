using System.Globalization;
using Quilt.Kernels.Ops;
using Quilt.Runtime.Kv;

namespace Quilt.Runtime;

/// <summary>
/// What an engine will hold in its device's memory, in bytes: computed from the checkpoint's headers and the options, before anything is allocated.
/// On a CPU the cache is taken from the system as it is used, on a GPU at once.
/// </summary>
public sealed record MemoryPlan
{
    internal MemoryPlan()
    {
    }

    /// <summary>The device's name.</summary>
    public required string Device { get; init; }

    /// <summary>Packed weights.</summary>
    public required long Weights { get; init; }

    /// <summary>
    /// Whether the weights are a packed model's files, mapped: the system's file cache holds them once for all processes, and can drop them.
    /// </summary>
    internal bool AreMapped { get; init; }

    /// <summary>The matrices of the largest step.</summary>
    public required long Scratch { get; init; }

    /// <summary>For the driver, kernels, recordings and what is small: norms, tables of angles, plans.</summary>
    public required long Reserve { get; init; }

    /// <summary>What the device had left for all of it.</summary>
    public required long Free { get; init; }

    /// <summary>In what precision keys and values are kept.</summary>
    public required KvType CacheType { get; init; }

    /// <summary>Tokens whose keys and values there is room for, of all sequences together.</summary>
    public required int CacheTokens { get; init; }

    /// <summary>Bytes that the keys and values of one token take.</summary>
    public required long TokenBytes { get; init; }

    /// <summary>Tokens that one sequence of the model may have.</summary>
    public required int ContextTokens { get; init; }

    /// <summary>Keys and values.</summary>
    public long Cache => CacheTokens * TokenBytes;

    /// <summary>All parts together.</summary>
    public long Total => Weights + Scratch + Reserve + Cache;

    /// <summary>Whether there is room for it, on each device.</summary>
    public bool Fits => Devices.Count > 0 ? Devices.All(device => device.Fits) : Total <= Free;

    /// <summary>The plans of several devices that hold a part of the model each, of which this is the sum; none where there is one device.</summary>
    public IReadOnlyList<MemoryPlan> Devices { get; private init; } = [];

    /// <summary>Tokens in a block of the cache.</summary>
    internal int BlockTokens { get; init; }

    /// <summary>Most that the host's memory holds at once while weights go onto a GPU: one stack at a time, whatever the model's size.</summary>
    internal long Host { get; init; }

    /// <summary>The cache's shape.</summary>
    internal KvLayout Layout => new(CacheTokens / BlockTokens, BlockTokens, CacheType);

    /// <summary>What a user should know: that the cache holds less than one sequence of the model's length; null if it holds more.</summary>
    internal string? Warning => CacheTokens >= ContextTokens
        ? null
        : string.Create(CultureInfo.InvariantCulture,
        $"the cache holds {CacheTokens:#,0} tokens ({CacheType.ToString().ToLowerInvariant()}, {Gib(Cache):0.00} GiB), fewer than the " +
        $"{ContextTokens:#,0} of the model: {Gib(ContextTokens * TokenBytes):0.00} GiB would hold them (KvMemory, --kv-memory)");

    /// <summary>The sum of several devices' plans, which have the same cache of tokens.</summary>
    internal static MemoryPlan Of(MemoryPlan[] devices) => devices[0] with
    {
        Device = string.Create(CultureInfo.InvariantCulture, $"{devices.Length} devices ({string.Join(", ", devices.Select(plan => plan.Device))})"),
        Weights = devices.Sum(plan => plan.Weights),
        Scratch = devices.Sum(plan => plan.Scratch),
        Reserve = devices.Sum(plan => plan.Reserve),
        Free = devices.Sum(plan => plan.Free),
        TokenBytes = devices.Sum(plan => plan.TokenBytes),
        Host = devices.Sum(plan => plan.Host),
        Devices = devices,
    };

    /// <summary>The parts in words.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"weights {Gib(Weights):0.00}{(AreMapped ? " (mapped)" : "")}, " +
        $"scratch {Gib(Scratch):0.00}{(Reserve > 0 ? $", driver {Gib(Reserve):0.00}" : "")} " +
        $"and cache {Gib(Cache):0.00} GiB ({CacheTokens:#,0} tokens in {CacheType.ToString().ToLowerInvariant()}) " +
        $"of {Gib(Free):0.00} free on {Device}");

    internal static double Gib(long bytes) => bytes / (double)(1L << 30);
}
