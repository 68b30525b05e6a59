using System.Numerics.Tensors;
using Quilt.Runtime.Sampling;

namespace Quilt.Quantizer.Quality;

/// <summary>What two models say after one token.</summary>
/// <param name="Divergence">KL(official ‖ model) in nats.</param>
/// <param name="SameTop">Whether both find the same token the most likely.</param>
/// <param name="OfficialTop">The official model's probability of the token it finds the most likely.</param>
/// <param name="ModelTop">The model's probability of that token.</param>
/// <param name="OfficialLoss">−log of the official model's probability of the text's next token; NaN where there is none.</param>
/// <param name="ModelLoss">−log of the model's.</param>
internal readonly record struct TokenComparison(
    double Divergence, bool SameTop, double OfficialTop, double ModelTop, double OfficialLoss, double ModelLoss)
{
    private const int Block = 512;

    /// <summary>Compares two rows of finite logits [vocabulary], in double precision throughout.</summary>
    /// <param name="official">The official model's.</param>
    /// <param name="model">The other's.</param>
    /// <param name="next">The text's next token; −1: there is none.</param>
    public static TokenComparison Of(ReadOnlySpan<float> official, ReadOnlySpan<float> model, int next)
    {
        var (top, modelTop) = (LargestLogit.Find(official), LargestLogit.Find(model));
        var sums = Sum(official, official[top], model, model[modelTop]);
        var officialLog = official[top] + Math.Log(sums.Official);
        var modelLog = model[modelTop] + Math.Log(sums.Model);

        // Σ p (log p − log q) with log p = official − officialLog and log q = model − modelLog. Rounding may leave a little below zero.
        var divergence = Math.Max(0, (sums.Difference / sums.Official) - (officialLog - modelLog));
        return new(divergence, top == modelTop, Math.Exp(official[top] - officialLog), Math.Exp(model[top] - modelLog),
            next < 0 ? double.NaN : officialLog - official[next], next < 0 ? double.NaN : modelLog - model[next]);
    }

    // Σ e^(official − its largest), Σ e^(model − its largest), and the first again with each term multiplied with official − model.
    private static (double Official, double Model, double Difference) Sum(
        ReadOnlySpan<float> official, float largest, ReadOnlySpan<float> model, float modelLargest)
    {
        Span<double> p = stackalloc double[Block];
        Span<double> q = stackalloc double[Block];
        Span<double> differences = stackalloc double[Block];
        var (officialSum, modelSum, difference) = (0.0, 0.0, 0.0);
        for (var start = 0; start < official.Length; start += Block)
        {
            var count = Math.Min(Block, official.Length - start);
            // Only the last block is shorter.
            p = p[..count];
            q = q[..count];
            differences = differences[..count];
            TensorPrimitives.ConvertTruncating(official.Slice(start, count), p);
            TensorPrimitives.ConvertTruncating(model.Slice(start, count), q);
            TensorPrimitives.Subtract<double>(p, q, differences);
            officialSum += Exponentials(p, largest);
            modelSum += Exponentials(q, modelLargest);
            difference += TensorPrimitives.Dot<double>(p, differences);
        }
        return (officialSum, modelSum, difference);
    }

    // Makes e^(logit − largest) of each, and adds them up.
    private static double Exponentials(Span<double> logits, float largest)
    {
        TensorPrimitives.Subtract(logits, (double)largest, logits);
        TensorPrimitives.Exp<double>(logits, logits);
        return TensorPrimitives.Sum<double>(logits);
    }
}
