using System.Collections.Frozen;

namespace Quilt.Formats.Chat.Replies;

/// <summary>A way in which models write their replies.</summary>
/// <param name="Create">Makes a parser for one reply.</param>
/// <param name="Openings">What a prompt ends with where the reply begins inside thinking.</param>
internal sealed record Dialect(Func<ReplyOptions, ReplyParser> Create, params string[] Openings)
{
    /// <summary>All of them, by name.</summary>
    public static readonly FrozenDictionary<string, Dialect> ByName = new Dictionary<string, Dialect>
    {
        ["apriel"] = new(options => new AprielReply(options), AprielReply.Openings),
        ["cohere"] = new(options => new CohereReply(options), CohereReply.Openings),
        ["deepseek_v3"] = new(options => new DeepSeekReply(options), DeepSeekReply.Openings),
        ["deepseek_v31"] = new(options => new DeepSeekReply(options), DeepSeekReply.Openings),
        ["glm45"] = new(options => new GlmReply(options), GlmReply.Openings),
        ["granite"] = new(options => new GraniteReply(options), GraniteReply.Openings),
        ["harmony"] = new(options => new HarmonyReply(options), HarmonyReply.Openings),
        ["hermes"] = new(options => new HermesReply(options), HermesReply.Openings),
        ["kimi_k2"] = new(options => new KimiReply(options), KimiReply.Openings),
        ["lfm2"] = new(options => new Lfm2Reply(options), Lfm2Reply.Openings),
        ["llama3_json"] = new(options => new LlamaReply(options)),
        ["minimax_m2"] = new(options => new MiniMaxReply(options), MiniMaxReply.Openings),
        ["minimax_m2_append_think"] =
            new(options => new MiniMaxReply(options with { ThinkingAsText = true }, appendsThink: true), MiniMaxReply.Openings),
        ["mistral"] = new(options => new MistralReply(options), MistralReply.Openings),
        ["qwen3_coder"] = new(options => new Qwen3CoderReply(options), Qwen3CoderReply.Openings),
        ["seed_oss"] = new(options => new SeedReply(options), SeedReply.Openings),
        ["text"] = new(options => new PlainReply(options, thinks: false)),
        ["think"] = new(options => new PlainReply(options, thinks: true), PlainReply.Openings),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The openings of all dialects, each once.</summary>
    public static readonly string[] AllOpenings = [.. ByName.Values.SelectMany(dialect => dialect.Openings).Distinct(StringComparer.Ordinal)];
}
