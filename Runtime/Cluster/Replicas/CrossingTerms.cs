using System.Text.Json;
using System.Text.Json.Serialization;
using Quilt.Formats.Chat;
using Quilt.Formats.Chat.Replies;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;

namespace Quilt.Cluster.Replicas;

/// <summary>What a request asks for beside its prompt, as one process tells another; every value was checked at the door.</summary>
internal sealed record CrossingTerms
{
    /// <summary>How tokens are chosen, the choice's own seed in it.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>Whether the prompt is a conversation's, so that the reply has thinking and calls.</summary>
    public bool IsConversation { get; init; }

    /// <summary>The conversation's tools; null: none.</summary>
    public JsonElement? Tools { get; init; }

    /// <summary>How the reply is read.</summary>
    public ReplyOptions? Reply { get; init; }

    /// <summary>The form of the reply.</summary>
    public FormSource? Output { get; init; }

    /// <summary>Whether it has to call a tool.</summary>
    public bool MustCall { get; init; }

    /// <summary>Which.</summary>
    public string? MustCallTool { get; init; }

    /// <inheritdoc cref="GenerationRequest.ParallelToolCalls"/>
    public bool ParallelToolCalls { get; init; } = true;

    /// <inheritdoc cref="GenerationRequest.Priority"/>
    public int Priority { get; init; }

    /// <inheritdoc cref="GenerationRequest.CacheSalt"/>
    public string? CacheSalt { get; init; }

    /// <inheritdoc cref="GenerationRequest.Tenant"/>
    public string? Tenant { get; init; }

    /// <inheritdoc cref="GenerationRequest.Deadline"/>
    public TimeSpan? Deadline { get; init; }

    /// <summary>What crosses of a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="sampling">Its sampling options, of the one choice.</param>
    public static byte[] Write(GenerationRequest request, SamplingOptions sampling) => JsonSerializer.SerializeToUtf8Bytes(new CrossingTerms
    {
        Sampling = sampling,
        IsConversation = request.Conversation is not null,
        Tools = request.Conversation?.Tools,
        Reply = request.Reply is { } reply ? reply with { Tools = null, MarkerIds = null } : null,
        Output = request.Output?.Source,
        MustCall = request.ToolChoice is not null,
        MustCallTool = request.ToolChoice?.Tool,
        ParallelToolCalls = request.ParallelToolCalls,
        Priority = request.Priority,
        CacheSalt = request.CacheSalt,
        Tenant = request.Tenant,
        Deadline = request.Deadline,
    }, CrossingJson.Default.CrossingTerms);

    /// <summary>The request that a replica's engine runs.</summary>
    /// <exception cref="ArgumentException">The terms are none of this version's.</exception>
    public static GenerationRequest Read(ReplicaRequest crossed)
    {
        CrossingTerms terms;
        try
        {
            terms = JsonSerializer.Deserialize(crossed.Terms, CrossingJson.Default.CrossingTerms) ?? throw new JsonException("null");
        }
        catch (JsonException unlike)
        {
            throw new ArgumentException($"Terms: expected those of this version, found others: {unlike.Message}", nameof(crossed), unlike);
        }
        return new GenerationRequest
        {
            Tokens = terms.IsConversation ? null : crossed.Prompt,
            Conversation = terms.IsConversation ? new Conversation { Tools = terms.Tools } : null,
            LaidOut = new LaidOutPrompt(crossed.Prompt, crossed.PromptText),
            Begun = crossed.Begun.Length > 0 ? new BegunReply(crossed.Begun, crossed.Random) : null,
            TellsRandom = true,
            Sampling = terms.Sampling,
            Reply = terms.Reply,
            Output = terms.Output is { } form ? StructuredOutput.From(form) : null,
            ToolChoice = !terms.MustCall ? null : terms.MustCallTool is { } tool ? ToolChoice.Named(tool) : ToolChoice.Required,
            ParallelToolCalls = terms.ParallelToolCalls,
            Priority = terms.Priority,
            CacheSalt = terms.CacheSalt,
            Tenant = terms.Tenant,
            Deadline = terms.Deadline,
        };
    }
}

/// <summary>JSON between processes.</summary>
[JsonSourceGenerationOptions(NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CrossingTerms))]
internal sealed partial class CrossingJson : JsonSerializerContext;
