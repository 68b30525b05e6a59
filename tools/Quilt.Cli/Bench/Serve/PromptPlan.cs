namespace Quilt.Cli.Bench.Serve;

/// <summary>How prompts of the wanted length are made for this server.</summary>
/// <param name="Words">Words that take <paramref name="WordTokens"/> tokens each, with a space in front.</param>
/// <param name="WordTokens">Tokens of a word.</param>
/// <param name="TextWords">Words of a first turn's text, shared ones included.</param>
/// <param name="SharedWords">Words at the beginning that all conversations have in common.</param>
/// <param name="PromptTokens">Tokens of such a prompt as the server counts them; null: it does not tell.</param>
internal sealed record PromptPlan(IReadOnlyList<string> Words, int WordTokens, int TextWords, int SharedWords, int? PromptTokens)
{
    /// <summary>Words of a text that belong to one conversation alone.</summary>
    public int OwnWords => TextWords - SharedWords;
}
