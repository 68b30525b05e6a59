using System.Globalization;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;

namespace Quilt.Runtime;

/// <summary>
/// What an engine will hold in a GPU's memory, in bytes: computed from the checkpoint's headers and the options, before anything is allocated.
/// </summary>
/// <param name="Device">The device's name.</param>
/// <param name="Weights">Packed weights.</param>
/// <param name="Scratch">The matrices of the largest step.</param>
/// <param name="Reserve">For the driver, kernels, recordings and what is small: norms, tables of angles, plans.</param>
/// <param name="Cache">Keys and values.</param>
/// <param name="Free">What the device has left for all of it.</param>
internal sealed record MemoryPlan(string Device, long Weights, long Scratch, long Reserve, long Cache, long Free)
{
    private const long DriverReserve = 512L << 20;
    private const long StandInCache = 2L << 30;

    /// <summary>A cache of fewer tokens is not worth opening an engine for.</summary>
    private const int LeastTokens = 1024;

    /// <summary>
    /// Most that the host's memory holds at once while weights are loaded: they pass through it one stack at a time, whatever the size of the model.
    /// </summary>
    public long Host { get; init; }

    /// <summary>All parts together, on the device.</summary>
    public long Total => Weights + Scratch + Reserve + Cache;

    /// <summary>Whether there is room for it.</summary>
    public bool Fits => Total <= Free;

    /// <summary>The parts in words.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"weights {Gib(Weights):0.00}, scratch {Gib(Scratch):0.00}, driver {Gib(Reserve):0.00} and cache {Gib(Cache):0.00} GiB of " +
        $"{Gib(Free):0.00} free on {Device}");

    /// <summary>
    /// Plans for a device. Without <see cref="EngineOptions.KvMemory"/> the cache gets what is left, but no more than its sequences could ever fill.
    /// </summary>
    public static MemoryPlan For(GpuDevice device, DecoderSpec spec, IDecoderParts parts, EngineOptions options) =>
        For(device.Name, device.FreeMemory, device.Traits.IsCuda, spec, parts, options);

    public static MemoryPlan For(string device, long free, bool isCuda, DecoderSpec spec, IDecoderParts parts, EngineOptions options)
    {
        var sizes = DecoderWeights.SizesOf(spec, parts).ToArray();
        var host = WeightLoader.HostBytes(sizes.Max(), options.Threads > 0 ? options.Threads : Environment.ProcessorCount);
        var (weights, scratch, reserve) = (sizes.Sum(), ScratchBytes(spec, options), isCuda ? DriverReserve : 0);
        var token = KvStore.BytesPerToken(spec, options.CacheType);
        var most = Math.Min((long)options.MaxSequences * (spec.Attention.MaxPositions + (long)options.BlockTokens), long.MaxValue / token) * token;
        if (options.KvMemory is { } asked) return new(device, weights, scratch, reserve, Math.Min(asked, most), free) { Host = host };

        var left = free - weights - scratch - reserve;
        return new(device, weights, scratch, reserve,
            Math.Clamp(isCuda ? left : Math.Min(left, StandInCache), Math.Min(most, LeastTokens * token), most), free) { Host = host };
    }

    /// <summary>Refuses a plan that does not fit.</summary>
    /// <exception cref="NotSupportedException">It does not; the message has every part, and what would help.</exception>
    public MemoryPlan Require() => Fits ? this : throw new NotSupportedException(string.Create(CultureInfo.InvariantCulture,
        $"{Device}: expected at most {Gib(Free):0.00} GiB, which are free, found {Gib(Total):0.00}: {this}. Less cache (KvMemory, --kv-memory), " +
        $"shorter steps (StepTokens, --step-tokens) or fewer sequences (MaxSequences, --max-sequences) take less."));

    /// <summary>
    /// Most that the matrices of a step take: <see cref="Decoder"/>'s, the copies of inputs that products make, and what choosing tokens takes.
    /// </summary>
    private static long ScratchBytes(DecoderSpec spec, EngineOptions options)
    {
        long tokens = options.StepTokens, hidden = spec.Hidden;
        long queries = spec.Attention.Heads * spec.Attention.HeadDim, keys = spec.Attention.KeyValueHeads * spec.Attention.HeadDim;
        var attention = (tokens * (hidden + queries + (2 * keys) + Math.Max(hidden, queries))) + PagedAttentionOp.Partials(options.MaxSequences,
            spec.Attention.Heads, spec.Attention.HeadDim, options.CacheType);
        var forward = 0L;
        for (var layer = 0; layer < spec.Layers; layer++)
        {
            var parts = spec.FeedForward(layer);
            var floats = tokens * (hidden + (2L * parts.Dense) + Math.Max(hidden, parts.Dense));
            if (parts.Experts is { } moe)
            {
                var pairs = tokens * moe.PerToken;
                floats += (tokens * moe.Experts) + (pairs * ((2L * moe.Hidden) + hidden)) + Math.Max(tokens * hidden, pairs * moe.Hidden);
            }
            forward = Math.Max(forward, floats);
        }
        var rows = Math.Min(options.MaxSequences, tokens);
        var matrices = sizeof(float) * ((2 * tokens * hidden) + Math.Max(attention, forward) + (rows * (spec.VocabularySize + (2 * hidden))));
        return matrices + DeviceChoice.ScratchBytes(rows, spec.VocabularySize) + Rounding;
    }

    /// <summary>Every matrix begins at a multiple of 256 bytes, and columns are padded to whole chunks.</summary>
    private const long Rounding = 4 << 20;

    private static double Gib(long bytes) => bytes / (double)(1L << 30);
}
