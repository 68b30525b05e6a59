using System.Globalization;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;

namespace Quilt.Runtime;

/// <summary>What a device has to give.</summary>
/// <param name="Device">Its name.</param>
/// <param name="Free">Bytes that can be taken now.</param>
/// <param name="Total">Bytes that could ever be had: nothing larger is even tried.</param>
/// <param name="Reserve">Bytes that its driver takes beside what is asked of it.</param>
/// <param name="CacheShare">Of what is left when weights and steps have theirs, the part that the cache may take.</param>
internal readonly record struct MemoryRoom(string Device, long Free, long Total, long Reserve, double CacheShare)
{
    private const long DriverReserve = 512L << 20;
    private const long StandInCache = 2L << 30;

    /// <summary>Whether it has tensor cores that our kernels use: its attention is then many times faster over a bfloat16 cache.</summary>
    public bool TensorCores { get; private init; }

    /// <summary>Asks the device.</summary>
    /// <param name="device">The device.</param>
    /// <param name="sharers">How many devices of its kind share the host's memory with it, itself included, where they have none.</param>
    public static MemoryRoom Of(Device device, int sharers = 1)
    {
        if (device is GpuDevice gpu)
        {
            var free = gpu.FreeMemory;
            // A stand-in has the processor's memory: it is not to take all of it.
            return Gpu(device.Name, gpu.Traits.IsCuda ? free : Math.Min(free, 2 * StandInCache) / sharers, gpu.Traits.IsCuda, gpu.Traits.TensorCores);
        }
        var system = SystemMemory.Read();
        // The rest is for the system's own caches, and for whatever else the host does.
        return new(device.Name, system.Available / sharers, system.Total / sharers, 0, 0.75);
    }

    /// <summary>A GPU, which is the engine's alone.</summary>
    public static MemoryRoom Gpu(string name, long free, bool isCuda, bool tensorCores) =>
        new(name, free, free, isCuda ? DriverReserve : 0, isCuda ? 1 : 0.5) { TensorCores = tensorCores };
}

/// <summary>Plans what an engine will hold.</summary>
/// <remarks>
/// Keys and values are float32, which is exact, where activations are exact, one sequence of the model's full length fits that way and attention
/// is no slower for it; bfloat16 otherwise. The cache gets what <see cref="EngineOptions.KvMemory"/> says, else what is left, but never more than its
/// sequences could fill. (docs/scheduling.md, "Memory")
/// </remarks>
internal static class MemoryPlanner
{
    /// <summary>A cache of fewer tokens is not worth opening an engine for.</summary>
    private const int LeastTokens = 1024;

    /// <summary>Every matrix begins at a multiple of 256 bytes, and columns are padded to whole chunks.</summary>
    private const long Rounding = 4 << 20;

    /// <summary>
    /// The plan for several devices that hold a share of a decoder each, which has theirs in it: the cache has as many blocks on all of them.
    /// </summary>
    public static MemoryPlan For(MemoryRoom[] rooms, DecoderSpec spec, IDecoderParts[] parts, DeviceShare[] shares, EngineOptions options)
    {
        if (rooms.Length == 1) return For(rooms[0], spec, parts[0], options);
        var own = options with { KvMemory = options.KvMemory is { } all ? Math.Max(1, all / rooms.Length) : null };
        var plans = All(own);
        // The cache is of one type; where one device must do with the smaller one, all do.
        if (plans.Select(plan => plan.CacheType).Distinct().Count() > 1) plans = All(own with { KvType = KvType.BFloat16 });
        var tokens = plans.Min(plan => plan.CacheTokens);
        return MemoryPlan.Of([.. plans.Select(plan => plan with { CacheTokens = tokens })]);

        MemoryPlan[] All(EngineOptions some) =>
            [.. rooms.Select((room, i) => For(room, shares[i].Of(spec), parts[i], some, DecoderWeights.SizesOf(spec, parts[i], shares[i])))];
    }

    /// <summary>The plan for a device.</summary>
    public static MemoryPlan For(MemoryRoom room, DecoderSpec spec, IDecoderParts parts, EngineOptions options) =>
        For(room, spec, parts, options, DecoderWeights.SizesOf(spec, parts));

    private static MemoryPlan For(MemoryRoom room, DecoderSpec spec, IDecoderParts parts, EngineOptions options, IEnumerable<long> of)
    {
        var sizes = of.ToArray();
        var (weights, scratch) = (sizes.Sum(), ScratchBytes(spec, options));
        // A tier in the host's memory and a processor's cache are of one memory.
        var left = Math.Max(0, room.Free - weights - scratch - room.Reserve - (options.Device == "cpu" ? options.KvHostMemory : 0));
        var budget = options.KvMemory ?? (long)(left * room.CacheShare);

        var context = Math.Min(spec.Attention.MaxPositions, options.MaxModelTokens ?? int.MaxValue);
        var blocks = (context + (long)options.BlockTokens - 1) / options.BlockTokens;
        var exact = KvStore.BytesPerToken(spec, KvType.Float32);
        var fitsExactly = options.Activations == Activations.Float && budget / exact / options.BlockTokens >= blocks;
        var halvesAreFaster = room.TensorCores && PagedAttentionOp.HasTensorKernel(spec.Attention.HeadDim, KvType.BFloat16);
        var type = options.KvType ?? (fitsExactly && !halvesAreFaster ? KvType.Float32 : KvType.BFloat16);

        var token = KvStore.BytesPerToken(spec, type);
        var least = options.KvMemory is null ? (LeastTokens + options.BlockTokens - 1L) / options.BlockTokens : 1;
        var most = Math.Min(options.MaxSequences * blocks, int.MaxValue / options.BlockTokens);
        var taken = (int)Math.Clamp(budget / token / options.BlockTokens, Math.Min(least, most), most);
        return new()
        {
            Device = room.Device,
            Weights = weights,
            AreMapped = parts.AreMapped,
            Scratch = scratch,
            Reserve = room.Reserve,
            Free = room.Free,
            CacheType = type,
            CacheTokens = taken * options.BlockTokens,
            TokenBytes = token,
            ContextTokens = context,
            BlockTokens = options.BlockTokens,
            Host = WeightLoader.HostBytes(sizes.Max(), new ThreadPlan(CpuTopology.Machine, options.Threads).Threads),
        };
    }

    /// <summary>The same for several devices, each with its own room.</summary>
    /// <exception cref="NotSupportedException">One of them cannot carry out its part.</exception>
    public static MemoryPlan Require(this MemoryPlan plan, MemoryRoom[] rooms)
    {
        if (plan.Devices.Count == 0) return plan.Require(rooms[0]);
        for (var i = 0; i < rooms.Length; i++) plan.Devices[i].Require(rooms[i]);
        return plan;
    }

    /// <summary>Refuses a plan that cannot be carried out.</summary>
    /// <exception cref="NotSupportedException">It cannot; the message has every part, and what would help.</exception>
    public static MemoryPlan Require(this MemoryPlan plan, MemoryRoom room)
    {
        // A processor's cache is taken as it is used, and what others use may be pushed out to the disk: only what can never be is refused.
        // So may weights that are memory of files, whatever that costs.
        var needed = (room.Free == room.Total ? plan.Total : plan.Total - plan.Cache) - (plan.AreMapped ? plan.Weights : 0);
        if (needed <= room.Total) return plan;
        throw new NotSupportedException(string.Create(CultureInfo.InvariantCulture,
            $"{plan.Device}: expected at most {MemoryPlan.Gib(room.Total):0.00} GiB, which are free, found {MemoryPlan.Gib(needed):0.00}: {plan}. " +
            $"Less cache (KvMemory, --kv-memory), shorter steps (MaxBatchedTokens, " +
            $"--max-batched-tokens) or fewer sequences (MaxSequences, --max-sequences) " +
            $"take less."));
    }

    /// <summary>
    /// Most that the matrices of a step take: <see cref="Decoder"/>'s, the copies of inputs that products make, and what choosing tokens takes.
    /// </summary>
    private static long ScratchBytes(DecoderSpec spec, EngineOptions options)
    {
        long tokens = options.BatchedTokens, hidden = spec.Hidden;
        long queries = (long)spec.Attention.Heads * spec.Attention.HeadDim, keys = (long)spec.Attention.KeyValueHeads * spec.Attention.HeadDim;
        var attention = (tokens * (hidden + queries + (2 * keys) + Math.Max(hidden, queries)))
            + PagedAttentionOp.Partials(options.MaxSequences, spec.Attention.Heads, spec.Attention.HeadDim, options.KvType ?? KvType.BFloat16);
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
}
