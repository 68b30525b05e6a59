using System.Numerics.Tensors;
using Quilt.Formats;
using Quilt.Kernels.Devices;

namespace Quilt.Quantizer.Quality;

/// <summary>Compares two models' logits, chunk by chunk of the tokens of some samples, and keeps a few numbers of each token.</summary>
/// <param name="samples">Token ids of each sample.</param>
/// <param name="threads">Threads to use; 0: one a core.</param>
internal sealed class LogitComparison(IReadOnlyList<int[]> samples, int threads)
{
    private readonly int[] next = [.. samples.SelectMany(ids => ids.Skip(1).Append(-1))];
    private readonly TokenComparison[] tokens = new TokenComparison[samples.Sum(ids => ids.Length)];

    /// <summary>KL(official ‖ model).</summary>
    public Divergence Kl => Divergence.Of([.. tokens.Select(token => token.Divergence)]);

    /// <summary>Share of tokens after which both find the same token the most likely.</summary>
    public double Top1Agreement => tokens.Average(token => token.SameTop ? 1.0 : 0);

    /// <summary>Mean probability of what the official model finds the most likely.</summary>
    public OfBoth Top1Probability => new(tokens.Average(token => token.OfficialTop), tokens.Average(token => token.ModelTop));

    /// <summary>Perplexities; null where no token has a next one.</summary>
    public OfBoth? Perplexity
    {
        get
        {
            var scored = tokens.Where((_, token) => next[token] >= 0).ToArray();
            return scored.Length == 0
                ? null
                : new(Math.Exp(scored.Average(token => token.OfficialLoss)), Math.Exp(scored.Average(token => token.ModelLoss)));
        }
    }

    /// <summary>Takes the logits [count, vocabulary] after the tokens from <paramref name="first"/> on.</summary>
    /// <exception cref="BadInputException">A logit is NaN or ∞.</exception>
    public void Add(int first, (string Folder, Matrix Logits) official, (string Folder, Matrix Logits) model)
    {
        for (var row = 0; row < official.Logits.Rows; row++)
        {
            Check(official.Folder, official.Logits.Row(row), first + row);
            Check(model.Folder, model.Logits.Row(row), first + row);
        }
        var (theirs, ours) = (official.Logits, model.Logits);
        Parallel.For(0, theirs.Rows, new ParallelOptions { MaxDegreeOfParallelism = threads > 0 ? threads : -1 },
            row => tokens[first + row] = TokenComparison.Of(theirs.Row(row), ours.Row(row), next[first + row]));
    }

    private void Check(string folder, ReadOnlySpan<float> logits, int token)
    {
        if (TensorPrimitives.IsFiniteAll(logits)) return;
        var sample = 0;
        for (; token >= samples[sample].Length; sample++) token -= samples[sample].Length;
        throw new BadInputException(folder, "logits", $"expected finite numbers after token {token} of sample {sample}, found NaN or ∞");
    }
}
