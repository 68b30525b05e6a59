using Quilt.Hosting.Http;

namespace Quilt.Hosting.OpenAi;

/// <summary>How an answer is written, chat or not: what a request says of it, within what the server allows.</summary>
internal sealed record ReplyTerms
{
    /// <summary>The answer's id.</summary>
    public required string Id { get; init; }

    /// <summary>The model's name in it.</summary>
    public required string Model { get; init; }

    /// <summary>When it was asked for, in seconds since 1970.</summary>
    public required long Created { get; init; }

    /// <summary>Whether it comes in pieces.</summary>
    public bool IsStream { get; init; }

    /// <summary>Whether the pieces end with the usage.</summary>
    public bool IncludeUsage { get; init; }

    /// <summary>Whether every piece has the usage so far.</summary>
    public bool ContinuousUsage { get; init; }

    /// <summary>Tokens of a piece.</summary>
    public int Interval { get; init; } = 1;

    /// <summary>Whether thinking is part of it.</summary>
    public bool IncludeReasoning { get; init; } = true;

    /// <summary>Whether a reply may have several calls; else the first counts.</summary>
    public bool ParallelToolCalls { get; init; } = true;

    /// <summary>Whether the reply is held to calls: white space around them is not said.</summary>
    public bool CallsOnly { get; init; }

    /// <summary>Whether log probabilities were asked for.</summary>
    public bool LogProbabilities { get; init; }

    /// <summary>Tokens written as <c>token_id:123</c>.</summary>
    public bool TokensAsTokenIds { get; init; }

    /// <summary>Token ids of prompt and reply beside the text.</summary>
    public bool ReturnTokenIds { get; init; }

    /// <summary>The prompt's text beside the reply.</summary>
    public string? PromptText { get; init; }

    /// <summary>What comes before the reply in its own text (echo).</summary>
    public string Prefix { get; init; } = "";

    /// <summary>The reply's role.</summary>
    public string Role { get; init; } = "assistant";

    /// <summary>Whether the usage says what of the prompt was cached.</summary>
    public bool PromptTokensDetails { get; init; }

    /// <summary>Which fields carry thinking.</summary>
    public ReasoningField ReasoningField { get; init; }

    /// <summary>What made the answer; null: not told.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>Whether the thinking of a reply without any is an empty text: it might have thought.</summary>
    public bool MayThink { get; init; }

    /// <summary>Whether the times are told.</summary>
    public bool Metrics { get; init; }

    /// <summary>What both kinds of request say.</summary>
    /// <param name="body">The request.</param>
    /// <param name="prefix">Of the id: <c>chatcmpl</c> or <c>cmpl</c>.</param>
    /// <param name="model">The model's name.</param>
    /// <param name="server">The server's own options.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="ApiException">A field is not what it should be.</exception>
    public static ReplyTerms Read(Fields body, string prefix, string model, QuiltServerOptions server, TimeProvider time)
    {
        var isStream = body.Flag("stream") ?? false;
        var options = body.Object("stream_options");
        if (options is not null && !isStream) throw ApiException.Bad("Stream options can only be defined when `stream=True`.", "stream_options");
        var interval = body.Int("stream_interval") ?? server.StreamInterval;
        if (interval < 1) throw ApiException.Bad($"stream_interval must be at least 1, got {interval}.", "stream_interval");
        var includesUsage = server.ForceIncludeUsage || (options?.Flag("include_usage") ?? false);
        return new ReplyTerms
        {
            Id = $"{prefix}-{Ids.Request(body)}",
            Model = model,
            Created = time.GetUtcNow().ToUnixTimeSeconds(),
            IsStream = isStream,
            IncludeUsage = includesUsage,
            ContinuousUsage = includesUsage && (options?.Flag("continuous_usage_stats") ?? false),
            Interval = interval,
            IncludeReasoning = body.Flag("include_reasoning") ?? true,
            ParallelToolCalls = body.Flag("parallel_tool_calls") ?? true,
            TokensAsTokenIds = body.Flag("return_tokens_as_token_ids") ?? server.TokensAsTokenIds,
            ReturnTokenIds = body.Flag("return_token_ids") ?? false,
            Role = server.ResponseRole,
            PromptTokensDetails = server.PromptTokensDetails,
            ReasoningField = server.ReasoningField,
            Metrics = server.RequestMetrics,
            Fingerprint = server.Fingerprint ? QuiltVersion.Fingerprint : null,
        };
    }
}
