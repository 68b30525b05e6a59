using System.Text.Json;
using Quilt.Hosting.Http;
using Quilt.Hosting.Models;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;

namespace Quilt.Hosting.OpenAi;

/// <summary>A request of /v1/completions, understood.</summary>
/// <param name="Generations">For the engine, one for each prompt.</param>
/// <param name="Terms">For the answer.</param>
internal sealed record CompletionRequest(IReadOnlyList<GenerationRequest> Generations, ReplyTerms Terms)
{
    private const int MostPrompts = 1024;
    private const int UsualTokens = 16;

    /// <summary>Whether the prompt comes first in the text.</summary>
    public bool Echo { get; init; }

    /// <summary>Log probabilities beside each token; null: none.</summary>
    public int? Logprobs { get; init; }

    /// <summary>Whether nothing is generated: the prompt's own probabilities are all that is asked for.</summary>
    public bool PromptOnly { get; init; }

    /// <summary>Reads a request.</summary>
    /// <inheritdoc cref="ChatRequest.Read"/>
    public static CompletionRequest Read(Fields body, ModelLease lease, QuiltServerOptions server, SamplingOptions defaults, TimeProvider time)
    {
        var vocabulary = lease.Engine.VocabularySize;
        var terms = ReplyTerms.Read(body, "cmpl", lease.Model.Name, server, time);
        if (body.Any("suffix") is not null) throw ApiException.Bad("suffix is not currently supported");
        RequestFields.RefuseUnbuilt(body);
        var echo = body.Flag("echo") ?? false;
        var logprobs = Logs(body, server, vocabulary);
        // Echo with no token of its own is how evaluation harnesses ask for a prompt's probabilities.
        var promptOnly = echo && logprobs is not null && body.Int("max_tokens") == 0;
        var sampling = SamplingFields.Read(body, defaults, lease.Engine.Tokenizer, vocabulary, ignoresLength: promptOnly);
        if (promptOnly) sampling = sampling with { MaxTokens = 1, MinTokens = 0 };
        else if (body.Any("max_tokens") is null && body.Any("max_completion_tokens") is null)
            sampling = sampling with { MaxTokens = Math.Min(Math.Max(UsualTokens, sampling.MinTokens), defaults.MaxTokens ?? int.MaxValue) };
        RequestFields.RefuseEqualChoices(body, sampling);
        if (logprobs is { } count) sampling = sampling with
        {
            LogProbabilities = true,
            TopLogProbabilities = count,
            LogProbabilityKind = server.LogProbabilityKind,
        };
        var shared = RequestFields.Read(body, server) with
        {
            AddSpecialTokens = body.Flag("add_special_tokens") ?? true,
            Sampling = sampling,
            Output = OutputFields.Read(body),
            PromptLogProbabilities = ProbabilityFields.OfPrompt(body, server, vocabulary, terms.IsStream) ?? (echo ? logprobs : null),
        };
        var prompts = Prompts(body, shared).ToArray();
        if (prompts.Length * shared.Choices > GenerationRequest.MostChoices)
        {
            throw ApiException.Bad($"prompt: expected at most {GenerationRequest.MostChoices} replies in all, found {prompts.Length} prompts " +
                $"with {shared.Choices} each.", "prompt");
        }
        return new(prompts, terms with { LogProbabilities = logprobs is not null }) { Echo = echo, Logprobs = logprobs, PromptOnly = promptOnly };
    }

    private static int? Logs(Fields body, QuiltServerOptions server, int vocabulary)
    {
        if (body.Int("logprobs") is not { } count) return null;
        if (count < 0 && !(count == -1 && server.MaxLogProbabilities == -1))
            throw ApiException.Bad("`logprobs` must be a positive value.", "logprobs");
        if (server.MaxLogProbabilities != -1 && count > server.MaxLogProbabilities)
        {
            throw ApiException.Bad($"Requested sample logprobs of {count}, which is greater than max allowed: {server.MaxLogProbabilities}",
                "logprobs");
        }
        return Math.Min(count, vocabulary);
    }

    // A text, a list of texts, a list of ids, a list of lists of ids.
    private static IEnumerable<GenerationRequest> Prompts(Fields body, GenerationRequest shared)
    {
        var prompt = body.Any("prompt") ?? throw ApiException.Bad("prompt: expected a text, token ids, or a list of these, found none.", "prompt");
        if (prompt.ValueKind == JsonValueKind.String) return [shared with { Text = prompt.GetString() }];
        if (prompt.ValueKind != JsonValueKind.Array) throw body.Wrong("prompt", prompt, "a text, token ids, or a list of these");
        if (prompt.GetArrayLength() == 0) throw ApiException.Bad("prompt: expected at least one, found an empty list.", "prompt");
        if (prompt[0].ValueKind == JsonValueKind.Number) return [shared with { Tokens = IdsOf(body, prompt, "prompt") }];
        if (prompt.GetArrayLength() > MostPrompts)
            throw ApiException.Bad($"prompt: expected at most {MostPrompts} prompts, found {prompt.GetArrayLength()}.", "prompt");
        return prompt.EnumerateArray().Select((one, i) => one.ValueKind switch
        {
            JsonValueKind.String => shared with { Text = one.GetString() },
            JsonValueKind.Array => shared with { Tokens = IdsOf(body, one, $"prompt.{i}") },
            _ => throw body.Wrong($"prompt.{i}", one, "a text or token ids"),
        });
    }

    private static int[] IdsOf(Fields body, JsonElement list, string name)
    {
        var ids = new int[list.GetArrayLength()];
        var i = 0;
        foreach (var item in list.EnumerateArray())
            ids[i++] = Fields.Id(item) ?? throw body.Wrong($"{name}.{i}", item, "an integer");
        return ids;
    }
}
