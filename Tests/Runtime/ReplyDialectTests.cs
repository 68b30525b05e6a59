using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Formats.Chat.Replies;
using Quilt.Formats.Tokenizers;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime;

/// <summary>
/// From tokens to what a reply says: markers that are special tokens reach the parser of the dialect that the template tells, or the caller.
/// </summary>
public sealed class ReplyDialectTests
{
    private const string Harmony = "{{ messages[0].content }}<|start|>assistant<|channel|>final<|message|>";

    // Every dialect whose markers are special tokens in its models' vocabularies.
    [TestCase("harmony",
        "<|channel|>analysis<|message|>look<|end|><|start|>assistant<|channel|>commentary to=functions.f <|constrain|>json<|message|>{\"a\": " +
        "1}<|call|>", "look", "")]
    [TestCase("mistral", "[THINK]look[/THINK]So.[TOOL_CALLS]f[CALL_ID]123456789[ARGS]{\"a\": 1}", "look", "So.")]
    [TestCase("deepseek_v31",
        "<think>look</think>So.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{\"a\": 1}<｜tool▁call▁end｜><｜tool▁calls▁end｜>", "look", "So.")]
    [TestCase("kimi_k2",
        "<think>look</think>So.<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{\"a\": " +
        "1}<|tool_call_end|><|tool_calls_section_end|>", "look", "So.")]
    [TestCase("hermes", "<think>look</think>So.<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": 1}}</tool_call>", "look", "So.")]
    public async Task Markers_that_are_special_tokens_reach_the_parser(string dialect, string reply, string thinking, string text)
    {
        await MarkersReachTheParser(byteLevel: true, dialect, reply, thinking, text);
        await MarkersReachTheParser(byteLevel: false, dialect, reply, thinking, text);
    }

    [Test]
    public async Task A_template_tells_the_dialect_and_options_overrule_it()
    {
        using var folder = new TinyFolder(tokenizer: true);
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "chat_template.jinja"), Harmony);
        await using (var engine = await Engine.OpenAsync(folder.Path)) Assert.That(engine.ReplyDialect, Is.EqualTo("harmony"));
        await using (var engine = await Engine.OpenAsync(folder.Path, new EngineOptions { ReplyDialect = "mistral" })) Assert.That(
            engine.ReplyDialect, Is.EqualTo("mistral"));
    }

    [Test]
    public async Task An_unknown_dialect_is_refused_by_name()
    {
        var refused = await Assert.ThrowsAsync<ArgumentException>(() => Engine.OpenAsync("nowhere", new EngineOptions { ReplyDialect = "morse" }));
        Assert.That(refused!.Message, Does.StartWith("ReplyDialect: expected one of apriel, ").And.EndsWith("found 'morse'."));
    }

    private static async Task MarkersReachTheParser(bool byteLevel, string dialect, string reply, string thinking, string text)
    {
        string[] markers = [.. ReplyParser.Create(dialect).Markers, "<|other|>"];
        var tokenizer = Tokenizer.Read(SmallTokenizer(markers, byteLevel), "small");
        var ids = tokenizer.Encode(reply + "<|other|>");
        Assert.That(ids.Count(tokenizer.IsSpecial), Is.GreaterThan(3), "the reply's markers are special tokens");

        var kept = markers[..^1].Select(marker => tokenizer.TryGetId(marker, out var id) ? id : -1).ToHashSet();
        var generation = new Generation([0], () => { }, CancellationToken.None);
        var request = new Request();
        // A stop text that never comes makes text wait, so that a marker must wait its turn too.
        var options = new SamplingOptions { Stop = ["never to be met"] };
        request.Begin(generation, new RequestTerms
        {
            Sampling = options, EndTokens = [], Room = 1000, Reply = new ReplyDecoder(tokenizer, ReplyParser.Create(dialect), kept, options),
        });
        foreach (var id in ids) request.Accept(new TokenChoice(id, float.NaN, []));
        request.Finish(FinishReason.Length);

        var events = new List<ReplyEvent>();
        await foreach (var e in generation.Replies()) events.Add(e);
        Assert.That(string.Concat(events.OfType<ThinkingText>().Select(e => e.Text)), Is.EqualTo(thinking));
        Assert.That(string.Concat(events.OfType<ReplyText>().Select(e => e.Text)), Is.EqualTo(text));
        Assert.That(events.OfType<ToolCallEnded>().Select(e => (e.Name, e.Arguments, e.IsComplete)), Is.EqualTo(new[] { ("f", "{\"a\": 1}", true) }));
    }

    // A vocabulary of single bytes, or of characters as SentencePiece has them, and the markers as special tokens.
    private static byte[] SmallTokenizer(string[] markers, bool byteLevelParts)
    {
        var vocabulary = new JsonObject();
        foreach (var c in byteLevelParts ? Enumerable.Range(0, 256).Select(ByteCharacter) : [.. Enumerable.Range('!', 94).Select(c => (char)c), '▁'])
            vocabulary[c.ToString()] = vocabulary.Count;
        var added = new JsonArray([.. markers.Select((marker, i) => new JsonObject
        {
            ["id"] = vocabulary.Count + i, ["content"] = marker, ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false,
            ["normalized"] = false, ["special"] = true,
        })]);
        var byteLevel = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = true };
        JsonObject Blanks(string from, string to) =>
            new() { ["type"] = "Replace", ["pattern"] = new JsonObject { ["String"] = from }, ["content"] = to };
        var characters = new JsonObject { ["type"] = "Sequence",
            ["decoders"] = new JsonArray(Blanks("▁", " "), new JsonObject { ["type"] = "ByteFallback" }, new JsonObject { ["type"] = "Fuse" }) };
        var json = new JsonObject
        {
            ["version"] = "1.0", ["truncation"] = null, ["padding"] = null, ["added_tokens"] = added,
            ["normalizer"] = byteLevelParts ? null : Blanks(" ", "▁"), ["pre_tokenizer"] = byteLevelParts ? byteLevel : null,
            ["post_processor"] = null,
            ["decoder"] = byteLevelParts ? byteLevel.DeepClone() : characters,
            ["model"] = new JsonObject
            {
                ["type"] = "BPE", ["dropout"] = null, ["unk_token"] = null, ["continuing_subword_prefix"] = null, ["end_of_word_suffix"] = null,
                ["fuse_unk"] = false, ["byte_fallback"] = false, ["vocab"] = vocabulary, ["merges"] = new JsonArray(),
            },
        };
        return Encoding.UTF8.GetBytes(json.ToJsonString());
    }

    // The characters that stand for bytes: printable ones for themselves, the others from U+0100 on.
    private static char ByteCharacter(int value)
    {
        if (IsPrintable(value)) return (char)value;
        return (char)(0x100 + Enumerable.Range(0, value).Count(b => !IsPrintable(b)));

        static bool IsPrintable(int b) => b is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE and <= 0xFF;
    }
}
