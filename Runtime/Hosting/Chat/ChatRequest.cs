using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Quilt.Formats.Chat;
using Quilt.Formats.Chat.Replies;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;

namespace Quilt.Hosting.Chat;

/// <summary>From messages and options of Microsoft.Extensions.AI to a request of the engine.</summary>
internal static class ChatRequest
{
    /// <summary>Makes the request.</summary>
    /// <param name="messages">The messages, oldest first.</param>
    /// <param name="options">The caller's options; null: none.</param>
    /// <param name="client">The client that was asked, for <see cref="ChatOptions.RawRepresentationFactory"/>.</param>
    /// <param name="defaults">What counts where the caller says nothing; its longest reply cannot be raised.</param>
    /// <param name="variables">Variables of every conversation's template.</param>
    /// <exception cref="ArgumentException">An option is out of its range or of the wrong kind; the message names it.</exception>
    /// <exception cref="NotSupportedException">Something is asked for that the model or this client does not have; the message names it.</exception>
    public static GenerationRequest From(IEnumerable<ChatMessage> messages, ChatOptions? options, IChatClient client, SamplingOptions defaults,
        IEnumerable<KeyValuePair<string, JsonElement>> variables)
    {
        options ??= new ChatOptions();
        Refuse(options);
        var raw = options.RawRepresentationFactory?.Invoke(client) as GenerationRequest ?? new GenerationRequest();
        if (raw.Choices != 1) throw new ArgumentException($"Choices: expected 1, a chat client gives one reply, found {raw.Choices}.");
        var more = new MoreOptions(options.AdditionalProperties);
        var conversation = new Conversation { Tools = ChatTools.Declare(options.Tools) };
        conversation.ContinueFinalMessage = more.Flag("continue_final_message") ?? false;
        conversation.AddGenerationPrompt = more.Flag("add_generation_prompt") ?? true;
        ChatMessages.Append(messages, options.Instructions, conversation);
        foreach (var (name, value) in variables.Concat(Thinking(options.Reasoning)).Concat(more.Variables())) conversation.SetVariable(name, value);
        return more.Over(raw with
        {
            Text = null,
            Tokens = null,
            Conversation = conversation,
            Sampling = Sampling(options, more, raw.Sampling ?? defaults, defaults.MaxTokens),
            Reply = raw.Reply ?? new ReplyOptions
            {
                UndeclaredTools = UndeclaredTools.Forward,
                CallsAsText = options.ToolMode is NoneChatToolMode,
            },
            Output = ChatForm.Of(options.ResponseFormat, more.Find("structured_outputs")) ?? raw.Output,
            ToolChoice = ChatTools.Choose(options.ToolMode, options.Tools) ?? raw.ToolChoice,
            ParallelToolCalls = options.AllowMultipleToolCalls ?? raw.ParallelToolCalls,
        });
    }

    private static void Refuse(ChatOptions options)
    {
        if (options.ConversationId is not null)
            throw new NotSupportedException("ConversationId: expected none, since nothing is kept between requests: send all messages every time.");
        if (options.ContinuationToken is not null)
            throw new NotSupportedException("ContinuationToken: expected none, since no reply goes on in the background.");
    }

    private static SamplingOptions Sampling(ChatOptions options, MoreOptions more, SamplingOptions below, int? longest)
    {
        var asked = options.MaxOutputTokens ?? below.MaxTokens;
        return more.Over(below with
        {
            Temperature = Exact(options.Temperature) ?? below.Temperature,
            TopP = Exact(options.TopP) ?? below.TopP,
            TopK = options.TopK ?? below.TopK,
            FrequencyPenalty = Exact(options.FrequencyPenalty) ?? below.FrequencyPenalty,
            PresencePenalty = Exact(options.PresencePenalty) ?? below.PresencePenalty,
            Seed = options.Seed ?? below.Seed,
            Stop = options.StopSequences is { } stop ? [.. stop] : below.Stop,
            MaxTokens = asked is { } most && longest is { } limit ? Math.Min(most, limit) : asked,
        });
    }

    // 0.7f is meant as 0.7, as every other client of the API writes it.
    private static double? Exact(float? value) =>
        value is { } given ? double.Parse(given.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) : null;

    // By the names that templates know: vLLM's reasoning_effort sets both.
    private static IEnumerable<KeyValuePair<string, JsonElement>> Thinking(ReasoningOptions? reasoning)
    {
        var effort = reasoning?.Effort switch
        {
            null => null,
            ReasoningEffort.None => "none",
            ReasoningEffort.Low => "low",
            ReasoningEffort.Medium => "medium",
            ReasoningEffort.High => "high",
            ReasoningEffort.ExtraHigh => "xhigh",
            var other => throw new ArgumentException($"Reasoning.Effort: expected one of its names, found {other}."),
        };
        if (effort is null) yield break;
        yield return new("reasoning_effort", JsonElement.Parse($"\"{effort}\""));
        yield return new("enable_thinking", JsonElement.Parse(effort == "none" ? "false" : "true"));
    }
}
