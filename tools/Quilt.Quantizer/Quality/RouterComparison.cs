using Quilt.Runtime.Execution;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Quality;

/// <summary>The choices of one layer's routers, of both models.</summary>
/// <param name="tokens">Tokens there are.</param>
/// <param name="experts">The layer's experts.</param>
internal sealed class RouterComparison(int tokens, MoeSpec experts)
{
    /// <summary>What the official model chooses.</summary>
    public RouterChoices Official { get; } = new(tokens, experts.PerToken);

    /// <summary>What the model chooses on what enters the official model's layer.</summary>
    public RouterChoices SameInput { get; } = new(tokens, experts.PerToken);

    /// <summary>What the model chooses on what enters its own.</summary>
    public RouterChoices WholeModel { get; } = new(tokens, experts.PerToken);

    /// <summary>How alike they are.</summary>
    public RouterAgreement Agreement => new(Of(SameInput), Of(WholeModel));

    private Agreement Of(RouterChoices model)
    {
        var (common, same) = (0L, 0);
        for (var token = 0; token < tokens; token++)
        {
            var shared = Common(Official.Of(token), model.Of(token));
            common += shared;
            if (shared == experts.PerToken) same++;
        }
        return new(common / ((double)tokens * experts.PerToken), same / (double)tokens);
    }

    // Both are ascending.
    private static int Common(ReadOnlySpan<int> a, ReadOnlySpan<int> b)
    {
        var (common, j) = (0, 0);
        foreach (var id in a)
        {
            while (j < b.Length && b[j] < id) j++;
            if (j < b.Length && b[j] == id) common++;
        }
        return common;
    }
}
