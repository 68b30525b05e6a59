using System.Text.Json;
using Quilt.Runtime.Sampling;

namespace Quilt.Hosting;

/// <summary>How a host answers over HTTP: who may ask, how much, and in what form. The defaults are the safe ones.</summary>
public sealed class QuiltServerOptions
{
    /// <summary>
    /// Keys, of which a request has to bring one (<c>Authorization: Bearer …</c> or <c>x-api-key</c>). None: nobody is asked for one.
    /// </summary>
    public IList<string> ApiKeys { get; } = [];

    /// <summary>
    /// Host names that requests may be addressed to, beside <c>localhost</c> and addresses, which are always good: only a name can be changed to
    /// another address (DNS rebinding). <c>*</c>: any, which is what a host with keys can afford.
    /// </summary>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>Origins of pages in browsers that may ask, beside this server's own (CORS); none by default. <c>*</c>: any.</summary>
    public IList<string> AllowedOrigins { get; } = [];

    /// <summary>Whether <c>/metrics</c> is answered without a key.</summary>
    public bool OpenMetrics { get; set; } = true;

    /// <summary>How long an engine may have requests and make no step before <c>/health</c> calls it dead.</summary>
    public TimeSpan LivenessTime { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Most bytes of a request's body.</summary>
    public long MaxBodyBytes { get; set; } = 32 << 20;

    /// <summary>Deepest nesting of a request's JSON.</summary>
    public int MaxDepth { get; set; } = 64;

    /// <summary>Longest time a request's body may take to arrive.</summary>
    public TimeSpan BodyTime { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest time a client may take nothing of an answer that is there for it; it is then dropped.</summary>
    public TimeSpan SendTime { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Most log probabilities of a token (vLLM's --max-logprobs); −1: the whole vocabulary.</summary>
    public int MaxLogProbabilities { get; set; } = 20;

    /// <summary>Which fields carry a reply's thinking.</summary>
    public ReasoningField ReasoningField { get; set; }

    /// <summary>The prompt tokens found in the cache are told in <c>usage</c> (vLLM's --enable-prompt-tokens-details).</summary>
    public bool PromptTokensDetails { get; set; }

    /// <summary>Streams end with their usage whether asked or not (vLLM's --enable-force-include-usage).</summary>
    public bool ForceIncludeUsage { get; set; }

    /// <summary>Answers carry the request's times (vLLM's --enable-per-request-metrics).</summary>
    public bool RequestMetrics { get; set; }

    /// <summary>Tokens are written <c>token_id:123</c> in log probabilities (vLLM's --return-tokens-as-token-ids).</summary>
    public bool TokensAsTokenIds { get; set; }

    /// <summary>Answers carry X-Request-Id (vLLM's --enable-request-id-headers).</summary>
    public bool RequestIdHeaders { get; set; }

    /// <summary>Requests may bring their own chat template (vLLM's --trust-request-chat-template).</summary>
    public bool TrustRequestChatTemplate { get; set; }

    /// <summary>Tools are left out of the prompt where the request's tool_choice is none (vLLM's --exclude-tools-when-tool-choice-none).</summary>
    public bool ExcludeToolsWhenNone { get; set; }

    /// <summary>Variables of every conversation's template, which a request's own replace (vLLM's --default-chat-template-kwargs).</summary>
    public IDictionary<string, JsonElement> TemplateVariables { get; } = new Dictionary<string, JsonElement>(StringComparer.Ordinal);

    /// <summary>Which distribution log probabilities are of (vLLM's --logprobs-mode).</summary>
    public LogProbabilityKind LogProbabilityKind { get; set; }

    /// <summary>Tokens of a piece of a stream, where the request does not say (vLLM's --stream-interval).</summary>
    public int StreamInterval { get; set; } = 1;

    /// <summary>
    /// Whether chat templates are given the parts of a message's content (true, vLLM's --chat-template-content-format openai) or its text (false,
    /// string). Null: as each template looks at it.
    /// </summary>
    public bool? ContentParts { get; set; }

    /// <summary>Whether answers carry a system_fingerprint, which is the server's version (vLLM's --fingerprint-mode).</summary>
    public bool Fingerprint { get; set; } = true;

    /// <summary>Most responses that are kept in memory (/v1/responses); the oldest go first. 0: none is kept.</summary>
    public int MaxStoredResponses { get; set; } = 1000;

    /// <summary>Most bytes that they take together, with the conversations that belong to them.</summary>
    public long MaxStoredBytes { get; set; } = 256 << 20;

    /// <summary>How long they are kept.</summary>
    public TimeSpan StoredResponseTime { get; set; } = TimeSpan.FromHours(24);

    /// <summary>The role of replies (vLLM's --response-role).</summary>
    public string ResponseRole { get; set; } = "assistant";

    /// <summary>Whether requests may say where their prompt's keys and values come from or go to; a cluster with roles sets it.</summary>
    internal bool MovesBlocks { get; set; }
}

/// <summary>Fields of a reply that carry its thinking.</summary>
public enum ReasoningField
{
    /// <summary>Both: clients of vLLM and of everyone else see it.</summary>
    Both,

    /// <summary><c>reasoning</c>, as vLLM has it.</summary>
    Reasoning,

    /// <summary><c>reasoning_content</c>, as DeepSeek, SGLang and llama.cpp have it.</summary>
    ReasoningContent,
}
