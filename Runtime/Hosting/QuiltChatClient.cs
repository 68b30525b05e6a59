using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Quilt.Formats;
using Quilt.Hosting.Chat;
using Quilt.Hosting.Http;
using Quilt.Hosting.Models;
using Quilt.Runtime;

namespace Quilt.Hosting;

/// <summary>
/// The models of a host, or one engine, as an <see cref="IChatClient"/>. Keeps nothing between requests; any number of threads may ask at the same
/// time. Thinking comes as <see cref="TextReasoningContent"/>, and goes back to the model where the messages that are sent still hold it.
/// </summary>
/// <remarks>
/// What ChatOptions has no property for is read from their AdditionalProperties, by the names of vLLM's API (<c>min_p</c>, <c>repetition_penalty</c>,
/// <c>cache_salt</c>, <c>priority</c>, <c>thinking_token_budget</c>, <c>chat_template_kwargs</c>, …), or from a <see cref="GenerationRequest"/> that
/// their RawRepresentationFactory makes.
/// </remarks>
/// <example><code>
/// await using var engine = await Engine.OpenAsync("/models/tiny");
/// IChatClient chat = new QuiltChatClient(engine);
/// Console.WriteLine(await chat.GetResponseAsync("What is the capital of France?"));
/// </code></example>
public sealed class QuiltChatClient : IChatClient
{
    private readonly ServedModels models;
    private readonly string? model;
    private readonly TimeProvider time;
    private readonly IEnumerable<KeyValuePair<string, JsonElement>> variables;
    private readonly ChatClientMetadata metadata;

    /// <summary>A client of one engine, which stays its owner's.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="modelId">What answers name as their model; null: the model's type as its config.json has it.</param>
    public QuiltChatClient(Engine engine, string? modelId = null)
        : this(ServedModels.Over(engine ?? throw new ArgumentNullException(nameof(engine)), modelId ?? engine.Config.ModelType), null)
    {
    }

    /// <summary>A client of a host's models.</summary>
    /// <param name="models">The models; <see cref="ChatOptions.ModelId"/> says which.</param>
    /// <param name="model">The one that is meant where it says nothing; null: the first.</param>
    /// <param name="time">The clock; null: the system's.</param>
    /// <param name="variables">Variables of every conversation's template, which a request's own replace.</param>
    internal QuiltChatClient(ServedModels models, string? model, TimeProvider? time = null,
        IEnumerable<KeyValuePair<string, JsonElement>>? variables = null)
    {
        (this.models, this.model, this.time, this.variables) = (models, model, time ?? TimeProvider.System, variables ?? []);
        metadata = new ChatClientMetadata("quilt", defaultModelId: model ?? models.All[0].Name);
    }

    /// <summary>Answers a conversation.</summary>
    /// <param name="messages">All of its messages, oldest first.</param>
    /// <param name="options">What is asked for; null: the model's defaults.</param>
    /// <param name="cancellationToken">Ends the reply and frees what it holds.</param>
    /// <exception cref="ArgumentException">An option is out of its range, or names a model or tool that there is not.</exception>
    /// <exception cref="NotSupportedException">
    /// A message holds what is no text (an image, say), a tool is no function, or <see cref="ChatOptions.ConversationId"/> is set.
    /// </exception>
    /// <exception cref="BadInputException">The template refuses the conversation, it is too long, or a schema cannot be held to.</exception>
    /// <exception cref="EngineBusyException">As many requests wait as may.</exception>
    /// <exception cref="RequestFailedException">The request failed.</exception>
    /// <exception cref="EngineFailedException">The engine failed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled, or the engine was disposed of.</exception>
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var updates = new List<ChatResponseUpdate>();
        await foreach (var update in Reply(messages, options, cancellationToken).ConfigureAwait(false)) updates.Add(update);
        var response = updates.ToChatResponse();
        response.RawRepresentation = updates[^1].RawRepresentation;
        return response;
    }

    /// <summary>
    /// Answers a conversation as the answer comes. All updates are of one message; the last one has the finish reason, the tokens, and the
    /// <see cref="Generation"/> as its RawRepresentation. Leaving early ends the reply.
    /// </summary>
    /// <inheritdoc cref="GetResponseAsync"/>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        return Reply(messages, options, cancellationToken);
    }

    /// <summary>Itself, its <see cref="ChatClientMetadata"/>, or the <see cref="Engine"/> of its model, where that is loaded.</summary>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null) return null;
        if (serviceType == typeof(ChatClientMetadata)) return metadata;
        if (serviceType == typeof(Engine)) return models.Find(model).Engine;
        return serviceType.IsInstanceOfType(this) ? this : null;
    }

    /// <summary>Does nothing: models belong to their host, an engine to whoever opened it.</summary>
    public void Dispose()
    {
    }

    private async IAsyncEnumerable<ChatResponseUpdate> Reply(IEnumerable<ChatMessage> messages, ChatOptions? options,
        [EnumeratorCancellation] CancellationToken cancel)
    {
        using var lease = await UseAsync(options?.ModelId ?? model, cancel).ConfigureAwait(false);
        var request = ChatRequest.From(messages, options, this, models.SamplingOf(lease.Engine), variables);
        var generation = lease.Submit(request, cancel)[0];
        var reply = new ChatReply(options);
        var (id, created) = ($"chatcmpl-{Guid.NewGuid():N}", time.GetUtcNow());
        await foreach (var happened in generation.Events(cancel).ConfigureAwait(false))
        {
            if (happened.Part is { } part && reply.ContentOf(part) is { } content) yield return Update([content]);
            if (happened.End is not { } end) continue;
            if (end.Error is not null) throw end.Error;
            cancel.ThrowIfCancellationRequested();
            if (end.Reason == FinishReason.Cancelled) throw new OperationCanceledException("The engine was disposed of before the reply was whole.");
            var last = Update([ChatReply.Usage(end.Usage)]);
            (last.FinishReason, last.RawRepresentation) = (reply.Finish(end.Reason), generation);
            yield return last;
        }

        ChatResponseUpdate Update(IList<AIContent> contents) => new(ChatRole.Assistant, contents)
        {
            ResponseId = id,
            MessageId = id,
            ModelId = lease.Model.Name,
            CreatedAt = created,
        };
    }

    // What HTTP's clients hear as a status, .NET's hear as one of its exceptions.
    private async Task<ModelLease> UseAsync(string? name, CancellationToken cancel)
    {
        try
        {
            return await models.UseAsync(name, cancel).ConfigureAwait(false);
        }
        catch (ApiException e)
        {
            throw e.Status == 404 ? new ArgumentException($"ModelId: {e.Message}", e) : new InvalidOperationException(e.Message, e);
        }
    }
}
