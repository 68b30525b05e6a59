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

    private Agreement Of(RouterChoices model) => Quality.Agreement.Of(Official.All, model.All, experts.PerToken);
}
