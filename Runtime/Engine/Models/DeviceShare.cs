using Quilt.Formats;

namespace Quilt.Runtime.Models;

/// <summary>So many things from the first one on: heads, rows, columns, experts.</summary>
/// <param name="First">The first.</param>
/// <param name="Count">How many.</param>
internal readonly record struct Part(int First, int Count)
{
    /// <summary>The same where each is so many smaller things.</summary>
    public Part Times(int size) => new(First * size, Count * size);

    /// <summary>Whether it has the thing of a number.</summary>
    public bool Has(int index) => index >= First && index - First < Count;
}

/// <summary>
/// What one of several devices holds of a decoder that is cut over them (docs/tensor-parallel.md): heads, widths and vocabulary in parts that follow
/// each other, routers and norms whole.
/// </summary>
/// <param name="Index">Which of the devices, from 0.</param>
/// <param name="Count">How many there are.</param>
/// <param name="DealsExperts">Whether a device holds some of the routed experts whole; else a part of each.</param>
internal sealed record DeviceShare(int Index, int Count, bool DealsExperts = false)
{
    /// <summary>A single device's.</summary>
    public static DeviceShare All { get; } = new(0, 1);

    /// <summary>One of equal parts.</summary>
    public Part Of(int width) => new(width / Count * Index, width / Count);

    /// <summary>Its heads of keys and values: where there are fewer than devices, neighbours hold the same one.</summary>
    public Part KeyHeads(int heads) => heads >= Count ? Of(heads) : new(Index * heads / Count, 1);

    /// <summary>Whether it is the first of those that hold the same heads of keys and values, and so the one whose numbers count in a sum.</summary>
    public bool CountsKeyHeads(int heads) => heads >= Count || Index % (Count / heads) == 0;

    /// <summary>Its routed experts.</summary>
    public Part Experts(int experts) => DealsExperts ? Of(experts) : new(0, experts);

    /// <summary>Its rows of the vocabulary, which need not divide: nothing but the number of rows hangs on them.</summary>
    public Part Vocabulary(int rows)
    {
        var first = (int)((long)rows * Index / Count);
        return new(first, (int)((long)rows * (Index + 1) / Count) - first);
    }

    /// <summary>The decoder as this device's forward pass sees it: its own heads and widths, the whole residual stream and vocabulary.</summary>
    public DecoderSpec Of(DecoderSpec whole)
    {
        if (Count == 1) return whole;
        var attention = whole.Attention;
        return whole with
        {
            Attention = attention with { Heads = Of(attention.Heads).Count, KeyValueHeads = KeyHeads(attention.KeyValueHeads).Count },
            FeedForward = layer => Of(whole.FeedForward(layer)),
        };
    }

    /// <summary>Refuses a number of devices over which a decoder cannot be cut.</summary>
    /// <exception cref="BadInputException">A width does not divide; the message names it and the numbers that would do.</exception>
    public static void Check(DecoderSpec spec, int count, bool dealsExperts, string file)
    {
        if (Obstacle(spec, count, dealsExperts) is not var (key, width, why)) return;
        var fitting = Enumerable.Range(1, 64).Where(n => Obstacle(spec, n, dealsExperts) is null);
        throw new BadInputException(file, key,
            $"expected a number that {count} devices divide{why}, found {width}; TensorParallel (--tp) can be {string.Join(", ", fitting)} here");
    }

    private static (string Key, int Width, string Why)? Obstacle(DecoderSpec spec, int count, bool dealsExperts)
    {
        var (heads, keys) = (spec.Attention.Heads, spec.Attention.KeyValueHeads);
        if (heads % count != 0) return ("num_attention_heads", heads, "");
        if (keys % count != 0 && (keys > count || count % keys != 0)) return ("num_key_value_heads", keys, ", or that divides them");
        if (spec.VocabularySize < count) return ("vocab_size", spec.VocabularySize, "");
        for (var layer = 0; layer < spec.Layers; layer++)
        {
            var parts = spec.FeedForward(layer);
            if (parts.Dense % count != 0) return ("intermediate_size", parts.Dense, "");
            if (parts.Experts is not { } experts) continue;
            if (dealsExperts && experts.Experts % count != 0) return ("num_local_experts", experts.Experts, "");
            if (!dealsExperts && experts.Hidden % count != 0) return ("moe_intermediate_size", experts.Hidden, "");
        }
        return null;
    }

    private FeedForwardSpec Of(FeedForwardSpec whole) => new()
    {
        Dense = Of(whole.Dense).Count,
        Experts = whole.Experts is { } experts && !DealsExperts ? experts with { Hidden = Of(experts.Hidden).Count } : whole.Experts,
    };
}
