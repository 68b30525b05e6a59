using Quilt.Formats.Tokenizers;
using Quilt.Hosting.Wire;
using Quilt.Runtime;

namespace Quilt.Hosting.OpenAi;

/// <summary>The answer of /v1/chat/completions that comes whole.</summary>
internal static class ChatAnswer
{
    /// <summary>Waits for all replies and lays them out.</summary>
    /// <inheritdoc cref="ChatReply.ReadAsync" path="/exception"/>
    public static async Task<ChatCompletion> ReadAsync(IReadOnlyList<Generation> generations, ReplyTerms terms, Tokenizer? tokenizer,
        CancellationToken cancel)
    {
        var keepsTokens = terms.LogProbabilities || terms.ReturnTokenIds;
        var replies = await Task.WhenAll(generations.Select(one => ChatReply.ReadAsync(one, keepsTokens, terms.ParallelToolCalls, cancel)))
            .ConfigureAwait(false);
        var probabilities = tokenizer is null ? null : new Probabilities(tokenizer, terms.TokensAsTokenIds);
        var first = generations[0];
        return new(terms.Id, terms.Created, terms.Model, [.. replies.Select((reply, i) => Choice(i, reply, terms, probabilities))],
            Usage.Of(generations, terms.PromptTokensDetails))
        {
            SystemFingerprint = terms.Fingerprint,
            PromptLogprobs = first.PromptScores is { } scores ? probabilities?.Prompt(scores) : null,
            PromptTokenIds = terms.ReturnTokenIds ? first.PromptIds : null,
            PromptText = terms.PromptText,
            KvTransferParams = KvTransferFields.Write(first),
            Metrics = terms.Metrics ? Times.Of(first.Stats) : null,
        };
    }

    private static ChatChoice Choice(int index, ChatReply reply, ReplyTerms terms, Probabilities? probabilities)
    {
        var hasCalls = reply.Calls.Count > 0;
        var text = terms.CallsOnly ? terms.Prefix : terms.Prefix + reply.Text;
        var thinking = terms.IncludeReasoning && (reply.Thinking.Length > 0 || terms.MayThink) ? reply.Thinking : null;
        var message = new ChatMessage(terms.Role, text.Length == 0 ? null : text)
        {
            ToolCalls = hasCalls ? reply.Calls : null,
            Reasoning = terms.ReasoningField == ReasoningField.ReasoningContent ? null : thinking,
            ReasoningContent = terms.ReasoningField == ReasoningField.Reasoning ? null : thinking,
        };
        var logprobs = terms.LogProbabilities && probabilities is not null
            ? new ChatLogprobs([.. reply.Tokens.Select(token => probabilities.Chat(token))])
            : null;
        return new(index, message, logprobs, Endings.Reason(reply.End, hasCalls), Endings.Stop(reply.End),
            terms.ReturnTokenIds ? [.. reply.Tokens.Select(token => token.Id)] : null);
    }
}
