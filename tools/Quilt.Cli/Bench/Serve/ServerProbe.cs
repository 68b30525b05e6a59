using System.Diagnostics;

namespace Quilt.Cli.Bench.Serve;

/// <summary>What a server can do, asked before the load: requests that are not measured, and warm it up.</summary>
internal sealed class ServerProbe(ApiClient client, LoadOptions options, Action<string> warn)
{
    // /tokenize costs next to nothing; where it is missing, every count is a request.
    private const int MostTokenizations = 600;
    private const int MostRequests = 40;
    private const int WarmUpTokens = 8;

    /// <summary>How requests are written, and how prompts are made for this server.</summary>
    /// <exception cref="IOException">It cannot be reached, or refuses what it is asked for.</exception>
    public async Task<(RequestForm Form, PromptPlan Plan)> LookAsync(string? model, CancellationToken cancel)
    {
        var form = new RequestForm(options.Endpoint, model ?? await client.FirstModelAsync(cancel).ConfigureAwait(false));
        var first = await TryAsync(form, "a b c d", cancel).ConfigureAwait(false);
        if (first.Status is 400 or 422)
        {
            var plain = form with { IgnoreEos = false };
            if (await TryAsync(plain, "a b c d", cancel).ConfigureAwait(false) is { Failure: null } second)
            {
                warn("the server refuses ignore_eos: replies may end before their length");
                (form, first) = (plain, second);
            }
        }
        if (first.Failure is { } failure) throw new IOException($"the server's first reply: {failure}");

        TokenCount? byUsage = first.PromptTokens is null ? null : async (text, stop) =>
        {
            var reply = await TryAsync(form, text, stop).ConfigureAwait(false);
            return reply is { Failure: null, PromptTokens: { } tokens } ? tokens
                : throw new IOException($"the server's reply to a prompt of about {options.Prompt} tokens: {reply.Failure ?? "no usage"}");
        };
        var tokenizes = await TokenizeAsync("a", cancel).ConfigureAwait(false) is not null;
        TokenCount? byTokenize = !tokenizes ? null : async (text, stop) =>
            await TokenizeAsync(text, stop).ConfigureAwait(false) ?? throw new IOException("/tokenize: expected a count, found none");

        var fit = new PromptFit(byTokenize ?? byUsage, byUsage ?? byTokenize, tokenizes ? MostTokenizations : MostRequests);
        var plan = await fit.FitAsync(options, cancel).ConfigureAwait(false);
        if (plan.PromptTokens is null) warn("the server tells no counts of tokens: a word is taken for a token, a chunk for another");
        else if (plan.PromptTokens != options.Prompt)
            warn($"prompts have {plan.PromptTokens} tokens: {options.Prompt} cannot be hit with this server's tokenizer and template");
        if (plan.SharedWords * plan.WordTokens != options.SharedPrefix)
            warn($"the shared prefix has {plan.SharedWords * plan.WordTokens} tokens: a word has {plan.WordTokens}");
        return (form, plan);

        Task<int?> TokenizeAsync(string text, CancellationToken stop) =>
            client.TokenizeAsync(form.TokenizeBody(new Conversation(options.Endpoint).Ask(text)), stop);
    }

    private Task<Reply> TryAsync(RequestForm form, string text, CancellationToken cancel) => client.AskAsync(form.Path,
        form.Body(new Conversation(options.Endpoint).Ask(text), Math.Min(options.Reply, WarmUpTokens)), Stopwatch.GetTimestamp(), false, cancel);
}
