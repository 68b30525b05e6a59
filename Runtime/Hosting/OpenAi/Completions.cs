using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Quilt.Formats.Chat.Replies;
using Quilt.Formats.Tokenizers;
using Quilt.Hosting.Http;
using Quilt.Hosting.Telemetry;
using Quilt.Hosting.Wire;
using Quilt.Runtime;

namespace Quilt.Hosting.OpenAi;

/// <summary><c>POST /v1/completions</c>: texts and token ids continued as they stand.</summary>
internal static class Completions
{
    /// <summary>Answers.</summary>
    public static async Task AnswerAsync(HttpContext http, QuiltServer server)
    {
        var body = await RequestBody.ReadAsync(http, server.Options).ConfigureAwait(false);
        using var lease = await server.UseAsync(body.Text("model"), http.RequestAborted).ConfigureAwait(false);
        var (request, generations) = await Preparation.RunAsync(http, body, () =>
        {
            var read = CompletionRequest.Read(body, lease, server.Options, server.DefaultsOf(lease), server.Time);
            var begun = new List<Generation>();
            foreach (var one in read.Generations) begun.AddRange(lease.Submit(one with { Tenant = Caller.TenantOf(http) }, http.RequestAborted));
            return (read, begun);
        }).ConfigureAwait(false);
        using var account = Accounts.Open(server, TelemetryNames.TextCompletion, request.Generations[0], request.Terms, generations);
        RequestHeaders.Write(http, request.Terms, server.Options);
        var tokenizer = lease.Engine.Tokenizer ?? throw ApiException.Bad("expected a model with a tokenizer, found none.");
        if (request.Terms.IsStream)
        {
            using var sse = SseWriter.Start(http);
            await CompletionStream.WriteAsync(sse, generations, request, tokenizer, http.RequestAborted).ConfigureAwait(false);
            return;
        }
        var texts = await Task.WhenAll(generations.Select(one => ReadAsync(one, request, tokenizer, http.RequestAborted))).ConfigureAwait(false);
        var usage = UsageOf(generations, request);
        var answer = new TextCompletion(request.Terms.Id, request.Terms.Created, request.Terms.Model,
            [.. texts.Select((text, i) => text with { Index = i })], usage)
        {
            SystemFingerprint = request.Terms.Fingerprint,
            KvTransferParams = KvTransferFields.Write(generations[0]),
            Metrics = request.Terms.Metrics ? Times.Of(generations[0].Stats) : null,
        };
        await JsonReply.WriteAsync(http, answer, WireJson.Default.TextCompletion).ConfigureAwait(false);
    }

    /// <summary>The usage of all prompts and their replies; a prompt counts once, however many replies it has.</summary>
    public static Usage UsageOf(IReadOnlyList<Generation> generations, CompletionRequest request)
    {
        var (prompt, completion, cached) = (0, 0, 0);
        foreach (var generation in generations)
        {
            if (generation.Choice == 0) (prompt, cached) = (prompt + generation.Stats.PromptTokens, cached + generation.Stats.CachedTokens);
            if (!request.PromptOnly) completion += generation.Stats.GeneratedTokens;
        }
        return new(prompt, prompt + completion, completion)
        {
            PromptTokensDetails = request.Terms.PromptTokensDetails ? new(cached) : null,
        };
    }

    private static async Task<TextChoice> ReadAsync(Generation generation, CompletionRequest request, Tokenizer tokenizer, CancellationToken cancel)
    {
        var terms = request.Terms;
        var probabilities = new Probabilities(tokenizer, terms.TokensAsTokenIds);
        var tokens = request.Logprobs is { } top ? new CompletionText(probabilities, top) : null;
        var text = new StringBuilder(request.Echo ? tokenizer.Decode([.. generation.PromptIds], skipSpecialTokens: true) : "");
        var ids = new List<int>();
        GenerationEnd? end = null;
        var scored = false;
        await foreach (var happened in generation.Events(cancel).ConfigureAwait(false))
        {
            if (happened.Token is { } token)
            {
                if (!scored && request.Echo) foreach (var score in generation.PromptScores ?? []) tokens?.Add(score);
                scored = true;
                if (request.PromptOnly) continue;
                tokens?.Add(token);
                ids.Add(token.Id);
            }
            else if (happened.Part is ReplyText said && !request.PromptOnly) text.Append(said.Text);
            else if (happened.End is { } last) end = last;
        }
        if (end!.Error is { } error) throw error;
        return new(0, text.ToString(), tokens?.Take(), Endings.Reason(end, hasCalls: false), Endings.Stop(end))
        {
            TokenIds = terms.ReturnTokenIds ? ids : null,
            PromptTokenIds = terms.ReturnTokenIds ? generation.PromptIds : null,
            PromptLogprobs = generation.PromptScores is { } scores && !request.Echo ? probabilities.Prompt(scores) : null,
        };
    }
}
