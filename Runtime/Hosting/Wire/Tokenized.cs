using System.Text.Json.Serialization;

namespace Quilt.Hosting.Wire;

/// <summary>The answer of /tokenize.</summary>
internal sealed record Tokenized(int Count, int MaxModelLen, IReadOnlyList<int> Tokens, IReadOnlyList<string>? TokenStrs);

/// <summary>The answer of /detokenize.</summary>
internal sealed record Detokenized(string Prompt);

/// <summary>The answer of /v1/chat/completions/render: what the model would be given.</summary>
internal sealed record Rendered(string Prompt, IReadOnlyList<int> PromptTokenIds, string Model)
{
    [JsonPropertyOrder(-1)]
    public string Object => "chat.completion.render";
}

/// <summary>The answer of /version.</summary>
internal sealed record VersionBody(string Version);

/// <summary>The answer of /load.</summary>
internal sealed record LoadBody(int ServerLoad);
