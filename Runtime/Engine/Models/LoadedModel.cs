using Quilt.Formats.Chat;
using Quilt.Formats.Chat.Replies;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tokenizers;
using Quilt.Kernels.Devices;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Kv.Tiers;
using Quilt.Runtime.Sampling;

namespace Quilt.Runtime.Models;

/// <summary>What a checkpoint holds, its weights on a device, ready to use. Owns the weights, and the device it opened.</summary>
internal sealed class LoadedModel : IDisposable
{
    private readonly bool ownsDevice;
    private readonly DecoderSpec spec;

    private LoadedModel(Checkpoint checkpoint, DecoderSpec spec, ModelShare[] shares, bool ownsDevice, ChatTemplate? template, string? dialect)
    {
        this.ownsDevice = ownsDevice;
        this.spec = spec;
        (Folder, Config, Shares) = (checkpoint.Folder, checkpoint.Config, shares);
        (Tokenizer, Template, EndTokens) = (checkpoint.Tokenizer, template ?? checkpoint.Template, [.. checkpoint.EndTokens]);
        Dialect = dialect ?? Template?.ReplyDialect;
        DefaultSampling = SamplingOptions.From(checkpoint.Generation);
        Warnings = Device is GpuDevice gpu && PlainProducts.Warning(gpu, Decoder.Weights) is { } slow
            ? [.. checkpoint.Warnings, slow]
            : [.. checkpoint.Warnings];
        Markers = FindMarkers();
        ThinkingBegin = Dialect is not null && ReplyParser.Create(Dialect).ThinkingBegin is { } begin && Tokenizer?.Encode(begin) is [var only]
            ? only
            : -1;
        ThinkingEnd = Dialect is not null && ReplyParser.Create(Dialect).ThinkingEnd is { } end
            ? Tokenizer?.Encode(end) ?? []
            : [];
    }

    public string Folder { get; }

    public ModelConfig Config { get; }

    /// <summary>What each device holds: one of them all, or several a part of every layer.</summary>
    public ModelShare[] Shares { get; }

    /// <summary>The device; of several the first.</summary>
    public Device Device => Shares[0].Device;

    /// <summary>The forward pass; of several devices the first one's, over its own heads and widths.</summary>
    public Decoder Decoder => Shares[0].Decoder;

    /// <summary>Bytes of the weights as held, on all devices together.</summary>
    public long WeightBytes => Shares.Sum(share => share.Decoder.Weights.Bytes);

    public Tokenizer? Tokenizer { get; }

    public ChatTemplate? Template { get; }

    /// <summary>How the model replies; null without a template and without a choice.</summary>
    public string? Dialect { get; }

    /// <summary>Special tokens that are markers of the dialect.</summary>
    public IReadOnlySet<int> Markers { get; }

    /// <summary>The token with which thinking begins; −1 where there is none, or it takes several.</summary>
    public int ThinkingBegin { get; }

    /// <summary>The tokens of the marker that ends thinking; none where the dialect has none.</summary>
    public int[] ThinkingEnd { get; }

    /// <summary>Ids that end a reply.</summary>
    public int[] EndTokens { get; }

    public SamplingOptions DefaultSampling { get; }

    public IReadOnlyList<string> Warnings { get; }

    /// <summary>What tells its weights from others' (<see cref="ModelDigest"/>); null where no engine asked.</summary>
    public byte[]? Digest { get; init; }

    /// <summary>What an engine of it takes of the device's memory.</summary>
    public required MemoryPlan Memory { get; init; }

    /// <summary>Loads a folder, onto <paramref name="on"/> or a device of its own; on an exception nothing stays allocated.</summary>
    public static LoadedModel Open(string folder, EngineOptions options, IProgress<LoadProgress>? progress, CancellationToken cancel,
        Device? on = null)
    {
        // All that is small is read before the first weight: what is wrong with it should not show after minutes.
        using var checkpoint = Checkpoint.Open(folder);
        var spec = Architectures.Describe(checkpoint.Config);
        if (options.MaxModelTokens > spec.Attention.MaxPositions)
            throw new ArgumentException($"MaxModelTokens: expected at most {spec.Attention.MaxPositions}, which the model was made for, " +
                $"found {options.MaxModelTokens}.");
        var template = options.ChatTemplate is { } given ? ChatTemplate.OpenOther(folder, given) : null;
        if (options.TensorParallel > 1)
        {
            DeviceShare.Check(spec, options.TensorParallel, options.ExpertParallel, Path.Combine(checkpoint.Folder, ModelConfig.FileName));
            // Tiles are mapped as they are; a part of a matrix has others.
            checkpoint.RequireUnpacked();
        }
        var devices = on is null ? options.OpenDevices() : [on];
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var weights = new DecoderWeights?[devices.Length];
        try
        {
            DecoderLimits.CheckOn(devices[0], spec);
            var shares = Enumerable.Range(0, devices.Length).Select(i => new DeviceShare(i, devices.Length, options.ExpertParallel)).ToArray();
            var parts = devices.Select((device, i) => EightBitHead.Wrap(
                new CheckpointParts(checkpoint, device, i == 0 ? progress : null, failed.Token), spec, device, options, shares[i])).ToArray();
            var rooms = Array.ConvertAll(devices, device => MemoryRoom.Of(device, devices.Length));
            var memory = MemoryPlanner.For(rooms, spec, parts, shares, options).Require(rooms);
            if (devices.Length == 1) weights[0] = DecoderWeights.Load(spec, parts[0]);
            else LoadShares(spec, parts, shares, devices, weights, failed);
            var held = shares.Select((share, i) => new ModelShare(devices[i], new Decoder(share.Of(spec), weights[i]!), share)).ToArray();
            return new LoadedModel(checkpoint, spec, held, on is null, template, options.ReplyDialect)
            {
                Memory = memory,
                Digest = options.HasTiers ? ModelDigest.Of(checkpoint) : null,
            };
        }
        catch
        {
            foreach (var some in weights) some?.Dispose();
            if (on is null) foreach (var device in devices) device.Dispose();
            cancel.ThrowIfCancellationRequested();
            throw;
        }
    }

    /// <summary>What runs its steps: a new order of work with a cache of its own.</summary>
    /// <param name="layout">The cache.</param>
    /// <param name="activations">In what precision quantized weights meet their input.</param>
    /// <param name="planned">Whether a GPU's scratch memory is taken at once, as planned.</param>
    public IExecutor NewExecutor(KvLayout layout, Activations activations = Activations.Float, bool planned = false)
    {
        if (Shares.Length == 1) return new Executor(Decoder, Device, layout, activations, planned ? Memory.Scratch : 0);
        return new ParallelExecutor(spec, Shares, layout, activations, planned ? [.. Memory.Devices.Select(plan => plan.Scratch)] : null);
    }

    /// <summary>
    /// A parser for a reply to <paramref name="conversation"/>, whose prompt ended as <paramref name="prompt"/> does; null where the dialect is not
    /// known, so that the reply is text.
    /// </summary>
    public ReplyParser? CreateReplyParser(Conversation conversation, string prompt, ReplyOptions? options) => Dialect is null ? null
        : ReplyParser.Create(Dialect, (options ?? new ReplyOptions()) with
        {
            Tools = conversation.Tools,
            StartsThinking = ReplyParser.EndsInThinking(prompt),
            MarkerIds = null,
        });

    public void Dispose()
    {
        foreach (var share in Shares)
        {
            share.Decoder.Dispose();
            if (ownsDevice) share.Device.Dispose();
        }
    }

    // All devices at the same time: what they read of a file is then in the system's memory for all of them.
    private static void LoadShares(DecoderSpec spec, IDecoderParts[] parts, DeviceShare[] shares, Device[] devices, DecoderWeights?[] weights,
        CancellationTokenSource failed)
    {
        using var threads = new LockStep(shares.Length, Load, index => (devices[index] as CpuDevice)?.Pool.Plan?.Pin(0));
        threads.Run();

        void Load(int index)
        {
            try
            {
                if (devices[index] is GpuDevice gpu) gpu.Accelerator.Bind();
                weights[index] = DecoderWeights.Load(spec, parts[index], shares[index]);
            }
            catch
            {
                failed.Cancel();
                throw;
            }
        }
    }

    // Special tokens are left out of a text; those that the dialect speaks of may not be.
    private HashSet<int> FindMarkers()
    {
        var found = new HashSet<int>();
        if (Dialect is null || Tokenizer is null) return found;
        foreach (var marker in ReplyParser.Create(Dialect).Markers)
        {
            if (Tokenizer.TryGetId(marker, out var id) && Tokenizer.IsSpecial(id)) found.Add(id);
        }
        return found;
    }
}
