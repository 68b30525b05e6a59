using System.Text.Json;
using System.Text.Json.Serialization;

namespace Quilt.Hosting.Wire;

/// <summary>An answer of /v1/responses, with what was asked as official clients expect to find it.</summary>
internal sealed record ResponseBody
{
    public required string Id { get; init; }

    public string Object => "response";

    public required long CreatedAt { get; init; }

    public required string Status { get; init; }

    public bool Background => false;

    public long? CompletedAt { get; init; }

    public ResponseFault? Error { get; init; }

    public IncompleteDetails? IncompleteDetails { get; init; }

    public string? Instructions { get; init; }

    public int? MaxOutputTokens { get; init; }

    public int? MaxToolCalls { get; init; }

    public required string Model { get; init; }

    public IReadOnlyList<ResponseItem> Output { get; init; } = [];

    public bool ParallelToolCalls { get; init; }

    public string? PreviousResponseId { get; init; }

    public JsonElement Reasoning { get; init; }

    public string ServiceTier => "default";

    public bool Store { get; init; }

    public double Temperature { get; init; }

    public JsonElement Text { get; init; }

    public JsonElement ToolChoice { get; init; }

    public JsonElement Tools { get; init; }

    public int TopLogprobs { get; init; }

    public double TopP { get; init; }

    public required string Truncation { get; init; }

    public ResponseUsage? Usage { get; init; }

    public string? User { get; init; }

    public JsonElement Metadata { get; init; }
}

/// <summary>What failed.</summary>
internal sealed record ResponseFault(string Code, string Message);

/// <summary>Why it is not all that it could be.</summary>
internal sealed record IncompleteDetails(string Reason);

/// <summary>Tokens.</summary>
internal sealed record ResponseUsage(int InputTokens, PromptTokensDetails InputTokensDetails, int OutputTokens,
    CompletionTokensDetails OutputTokensDetails, int TotalTokens);

/// <summary>The answer of DELETE /v1/responses/{id}.</summary>
internal sealed record DeletedResponse(string Id)
{
    public string Object => "response";

    public bool Deleted => true;
}
