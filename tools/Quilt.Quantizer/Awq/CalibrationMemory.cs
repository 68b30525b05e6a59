using Quilt.Formats;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Awq;

/// <summary>What a run takes of memory.</summary>
/// <param name="Fixed">Bytes that do not depend on the samples.</param>
/// <param name="PerToken">Bytes a token of a batch.</param>
/// <param name="BatchTokens">Tokens of a batch, at most.</param>
/// <param name="Peak">Bytes at the most.</param>
internal sealed record CalibrationMemory(long Fixed, long PerToken, int BatchTokens, long Peak)
{
    // The program itself, its code and what it reads from files.
    private const long Program = 400L << 20;

    // One part in so many is what the collector has not taken back yet: 2.8 GiB were seen where 2.3 are in use.
    private const long Uncollected = 4;

    /// <summary>What a plan takes, with batches as large as its settings let them be.</summary>
    /// <exception cref="BadInputException">Not even the longest sample fits.</exception>
    public static CalibrationMemory Of(CalibrationPlan plan)
    {
        var spec = plan.Modules.Spec;
        var (experts, longest) = (spec.Experts, plan.Samples.Max(sample => sample.Length));
        var tokens = plan.Samples.Sum(sample => (long)sample.Length);
        var expert = experts is null ? 0 : 3L * spec.Hidden * experts.Hidden;
        var attention = (2L * spec.Attention.Heads * spec.Attention.HeadDim * spec.Hidden)
            + (2L * spec.Attention.KeyValueHeads * spec.Attention.HeadDim * spec.Hidden);
        var group = plan.Modules.Modules.Select(module => module.Scheme?.GroupSize ?? 0).Where(size => size > 0).DefaultIfEmpty(spec.Hidden).Min();
        var scales = experts is null ? 0 : experts.Experts * expert / group * sizeof(float);
        // Two experts as they are read, one as it multiplies, one as it would be stored; the scales of all groups of a layer, and as many that are
        // not collected yet; its attention.
        var needed = Program + (expert * sizeof(float) * 3) + expert + (2 * scales) + (attention * 2) + ScratchBytes(spec);
        needed = Math.Max(needed, Program + ((long)spec.VocabularySize * spec.Hidden * 2));
        // The stream, what the experts read of it, keys and values, scores of the router and where each token goes.
        var perToken = ((2L * spec.Hidden) + (2L * spec.Attention.KeyValueHeads * spec.Attention.HeadDim) + (experts?.Experts ?? 0)) * sizeof(float)
            + (32L * (experts?.PerToken ?? 0));
        // A match holds all samples at once: the stream, the experts' input, the output wanted and found, and what enters down.
        if (plan.Settings.Match is not null) perToken = ((5L * spec.Hidden) + (3L * (experts?.Hidden ?? 0))) * sizeof(float);
        (needed, perToken) = (needed + (needed / Uncollected), perToken + (perToken / Uncollected));
        var least = plan.Settings.Match is null ? longest : tokens;
        var fits = (plan.Settings.Memory - needed) / perToken;
        if (fits < least)
        {
            var (all, given) = (Gib(needed + (least * perToken)), Gib(plan.Settings.Memory));
            throw new BadInputException("--memory", null,
                FormattableString.Invariant($"expected at least {all:0.0} GiB, for {least} tokens at a time, found {given:0.0}"));
        }
        var batch = (int)Math.Min(Math.Min(fits, tokens), int.MaxValue / spec.Hidden);
        return new(needed, perToken, batch, needed + (batch * perToken));
    }

    private static double Gib(long bytes) => bytes / (double)(1L << 30);

    // Rows of one expert that are multiplied at once, and steps of attention.
    private static long ScratchBytes(DecoderSpec spec) =>
        1024L * ((3L * spec.Hidden) + (4L * (spec.Experts?.Hidden ?? 0)) + (4L * spec.Attention.Heads * spec.Attention.HeadDim)) * sizeof(float) * 2;
}
