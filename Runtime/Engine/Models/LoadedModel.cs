using Quilt.Formats.Chat;
using Quilt.Formats.Chat.Replies;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tokenizers;
using Quilt.Kernels.Devices;
using Quilt.Runtime.Kv.Tiers;
using Quilt.Runtime.Sampling;

namespace Quilt.Runtime.Models;

/// <summary>What a checkpoint holds, its weights on a device, ready to use. Owns the weights, and the device it opened.</summary>
internal sealed class LoadedModel : IDisposable
{
    private readonly bool ownsDevice;

    private LoadedModel(Checkpoint checkpoint, Device device, bool ownsDevice, Decoder decoder, ChatTemplate? template, string? dialect)
    {
        this.ownsDevice = ownsDevice;
        (Folder, Config, Device, Decoder) = (checkpoint.Folder, checkpoint.Config, device, decoder);
        (Tokenizer, Template, EndTokens) = (checkpoint.Tokenizer, template ?? checkpoint.Template, [.. checkpoint.EndTokens]);
        Dialect = dialect ?? Template?.ReplyDialect;
        DefaultSampling = SamplingOptions.From(checkpoint.Generation);
        Warnings = device is GpuDevice gpu && PlainProducts.Warning(gpu, decoder.Weights) is { } slow
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

    public Device Device { get; }

    public Decoder Decoder { get; }

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
        var device = on ?? options.OpenDevice();
        DecoderWeights? weights = null;
        try
        {
            DecoderLimits.CheckOn(device, spec);
            var parts = EightBitHead.Wrap(new CheckpointParts(checkpoint, device, progress, cancel), spec, device, options);
            var room = MemoryRoom.Of(device);
            var memory = MemoryPlanner.For(room, spec, parts, options).Require(room);
            weights = DecoderWeights.Load(spec, parts);
            return new LoadedModel(checkpoint, device, on is null, new Decoder(spec, weights), template, options.ReplyDialect)
            {
                Memory = memory,
                Digest = options.HasTiers ? ModelDigest.Of(checkpoint) : null,
            };
        }
        catch
        {
            weights?.Dispose();
            if (on is null) device.Dispose();
            throw;
        }
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
        Decoder.Dispose();
        if (ownsDevice) Device.Dispose();
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
