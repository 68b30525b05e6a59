namespace Quilt.Quantizer.Quality;

/// <summary>How far a model's answers are from those of the official model it was made from, over some text.</summary>
internal sealed record QualityResult
{
    /// <summary>Folder of the model.</summary>
    public required string Model { get; init; }

    /// <summary>Folder of the official model.</summary>
    public required string Official { get; init; }

    /// <summary>Texts, each read from its own beginning.</summary>
    public required int Samples { get; init; }

    /// <summary>Tokens of all samples; after each of them the two models' distributions are compared.</summary>
    public required int Tokens { get; init; }

    /// <summary>KL(official ‖ model) over the whole vocabulary, in nats a token.</summary>
    public required Divergence Kl { get; init; }

    /// <summary>Share of tokens after which both models find the same token the most likely.</summary>
    public required double Top1Agreement { get; init; }

    /// <summary>Mean probability that each model gives to the token the official model finds the most likely.</summary>
    public required OfBoth Top1Probability { get; init; }

    /// <summary>e to the mean negative log probability of the text's own next tokens; null where no sample has two tokens.</summary>
    public OfBoth? Perplexity { get; init; }

    /// <summary>The mean of the layers that have routers; null where none has.</summary>
    public RouterAgreement? Router { get; init; }

    /// <summary>Layer by layer.</summary>
    public required IReadOnlyList<LayerQuality> Layers { get; init; }

    /// <summary>What makes the figures less than they look.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>How long it took.</summary>
    public double Seconds { get; init; }
}

/// <summary>A divergence over tokens, in nats. Percentiles are those of the nearest rank.</summary>
/// <param name="Mean">Over all tokens.</param>
/// <param name="Median">Half of the tokens have no more.</param>
/// <param name="P99">99 of 100 tokens have no more.</param>
/// <param name="Max">The worst token's.</param>
internal sealed record Divergence(double Mean, double Median, double P99, double Max)
{
    /// <summary>Of one value a token, at least one.</summary>
    public static Divergence Of(IReadOnlyCollection<double> values)
    {
        double[] sorted = [.. values.Order()];
        return new(values.Average(), Rank(0.5), Rank(0.99), sorted[^1]);

        double Rank(double share) => sorted[(int)Math.Ceiling(share * sorted.Length) - 1];
    }
}

/// <summary>One figure of both models.</summary>
/// <param name="Official">The official model's.</param>
/// <param name="Model">The other's.</param>
internal sealed record OfBoth(double Official, double Model);

/// <summary>One layer.</summary>
/// <param name="Layer">Its number.</param>
/// <param name="StreamError">‖model − official‖ / ‖official‖ of the residual stream after it, over all tokens.</param>
/// <param name="Router">Its router; null where it has none.</param>
internal sealed record LayerQuality(int Layer, double StreamError, RouterAgreement? Router);

/// <summary>How alike two models' routers choose.</summary>
/// <param name="SameInput">Where the model's layer is given what enters the official model's: the router's own fault.</param>
/// <param name="WholeModel">Where each has what its own layers before made of the text: what happens in use.</param>
internal sealed record RouterAgreement(Agreement SameInput, Agreement WholeModel)
{
    /// <summary>The mean of several, at least one.</summary>
    public static RouterAgreement Mean(IReadOnlyCollection<RouterAgreement> all) =>
        new(Agreement.Mean([.. all.Select(one => one.SameInput)]), Agreement.Mean([.. all.Select(one => one.WholeModel)]));
}

/// <summary>How alike choices of experts are.</summary>
/// <param name="Overlap">Share of a token's experts that are the same, mean over tokens.</param>
/// <param name="SameSet">Share of tokens whose experts are all the same.</param>
internal sealed record Agreement(double Overlap, double SameSet)
{
    /// <summary>Compares the choices of some tokens.</summary>
    /// <param name="wanted">[tokens, perToken] the experts of each.</param>
    /// <param name="found">The same of another router; in any order.</param>
    /// <param name="perToken">Experts a token goes to.</param>
    public static Agreement Of(ReadOnlySpan<int> wanted, ReadOnlySpan<int> found, int perToken)
    {
        var (common, same, tokens) = (0L, 0L, wanted.Length / perToken);
        for (var at = 0; at < wanted.Length; at += perToken)
        {
            var both = 0;
            foreach (var id in wanted.Slice(at, perToken)) both += found.Slice(at, perToken).Contains(id) ? 1 : 0;
            common += both;
            same += both == perToken ? 1 : 0;
        }
        return new(common / ((double)tokens * perToken), same / (double)tokens);
    }

    /// <summary>The mean of several, at least one.</summary>
    public static Agreement Mean(IReadOnlyCollection<Agreement> all) => new(all.Average(one => one.Overlap), all.Average(one => one.SameSet));
}
