namespace Quilt.Quantizer.Awq;

/// <summary>Samples that go through a layer together.</summary>
/// <param name="First">The first of their rows among all.</param>
/// <param name="Prompts">Their tokens.</param>
internal sealed record CalibrationBatch(long First, IReadOnlyList<int[]> Prompts);

/// <summary>All samples, cut into batches of as many whole ones as fit.</summary>
internal sealed class CalibrationBatches
{
    /// <summary>Cuts them.</summary>
    /// <param name="samples">Token ids.</param>
    /// <param name="mostTokens">Tokens of a batch, where a single sample has no more.</param>
    public CalibrationBatches(IReadOnlyList<int[]> samples, int mostTokens)
    {
        var all = new List<CalibrationBatch>();
        var current = new List<int[]>();
        var (first, count) = (0L, 0);
        foreach (var sample in samples)
        {
            if (current.Count > 0 && count + sample.Length > mostTokens)
            {
                all.Add(new(first, current));
                (first, count, current) = (first + count, 0, []);
            }
            current.Add(sample);
            count += sample.Length;
        }
        if (current.Count > 0) all.Add(new(first, current));
        (All, Tokens) = (all, first + count);
    }

    /// <summary>In order.</summary>
    public IReadOnlyList<CalibrationBatch> All { get; }

    /// <summary>Tokens of all samples.</summary>
    public long Tokens { get; }
}
