namespace Quilt.Cli.Bench.Serve;

/// <summary>Tokens that a prompt of this text has on the server, with what its template adds.</summary>
internal delegate Task<int> TokenCount(string text, CancellationToken cancel);

/// <summary>
/// Finds how to make prompts of a wanted number of tokens for a tokenizer that is only known by counts: words that are one token each, and how many.
/// </summary>
/// <param name="cheap">Counts while words are looked for; null: nobody does.</param>
/// <param name="exact">Counts as the server does when it answers; the last word.</param>
/// <param name="mostCounts">How often <paramref name="cheap"/> may be asked.</param>
internal sealed class PromptFit(TokenCount? cheap, TokenCount? exact, int mostCounts)
{
    // Seeds the texts that are counted with, far from any that a user names, so that no measured prompt is cached before it is sent.
    private const int TrialSeed = int.MinValue + 77;
    private const int Corrections = 4;
    private int left = mostCounts;

    /// <summary>Makes the plan.</summary>
    /// <exception cref="UsageException">The shared prefix leaves no room for a word of one's own.</exception>
    public async Task<PromptPlan> FitAsync(LoadOptions options, CancellationToken cancel)
    {
        if (cheap is null) return Planned(options, PromptWords.Candidates, 1, options.Prompt, null);
        var empty = await cheap(PromptWords.Beginnings[0], cancel).ConfigureAwait(false) - 1;
        left--;
        var words = new List<string>();
        await FindAsync(PromptWords.Beginnings, empty, words, cancel).ConfigureAwait(false);
        await FindAsync(PromptWords.Candidates[PromptWords.Beginnings.Length..], empty, words, cancel).ConfigureAwait(false);
        var each = 1;
        if (words.Count == 0)
        {
            words = [.. PromptWords.Beginnings];
            var all = await cheap(Text(words), cancel).ConfigureAwait(false) - empty - 1;
            each = Math.Max(1, (int)Math.Round((double)all / words.Count));
        }
        return await CorrectAsync(options, words, each, (options.Prompt - empty) / each, cancel).ConfigureAwait(false);
    }

    // Groups that have as many tokens as words are good; others are halved until the bad word is alone.
    private async Task FindAsync(string[] all, int empty, List<string> found, CancellationToken cancel)
    {
        var groups = new Stack<ArraySegment<string>>([all]);
        while (left > 0 && groups.TryPop(out var group))
        {
            left--;
            if (await cheap!(Text(group), cancel).ConfigureAwait(false) - empty - 1 == group.Count) found.AddRange(group);
            else if (group.Count > 1)
            {
                groups.Push(group[(group.Count / 2)..]);
                groups.Push(group[..(group.Count / 2)]);
            }
        }
    }

    private async Task<PromptPlan> CorrectAsync(LoadOptions options, IReadOnlyList<string> words, int each, int count, CancellationToken cancel)
    {
        for (var correction = 0; ; correction++)
        {
            var plan = Planned(options, words, each, count, null);
            var tokens = await (exact ?? cheap!)(new PromptMaker(plan with { SharedWords = 0 }, unchecked(TrialSeed + correction)).First(0), cancel)
                .ConfigureAwait(false);
            var missing = (options.Prompt - tokens) / each;
            if (missing == 0 || correction == Corrections || plan.TextWords + missing <= plan.SharedWords)
                return plan with { PromptTokens = tokens };
            count = plan.TextWords + missing;
        }
    }

    private static PromptPlan Planned(LoadOptions options, IReadOnlyList<string> words, int each, int count, int? tokens)
    {
        var shared = options.SharedPrefix / each;
        if (shared > 0 && count <= shared)
        {
            throw new UsageException($"--shared-prefix: expected at most {Math.Max(0, (count - 1) * each)}, which leaves a word to each prompt of " +
                $"{options.Prompt} tokens behind what the template takes, found {options.SharedPrefix}");
        }
        return new PromptPlan(words, each, Math.Max(count, 1), shared, tokens);
    }

    private static string Text(IEnumerable<string> words) => $"{PromptWords.Beginnings[0]} {string.Join(' ', words)}";
}
