using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Formats.Tokenizers;
using Quilt.Formats.Tokenizers.Bpe;

namespace Quilt.Tests.Formats.Tokenizers;

/// <summary>Small tokenizer files of every kind, made here.</summary>
internal static class TinyTokenizers
{
    /// <summary>Every kind there is, by name.</summary>
    public static readonly IReadOnlyDictionary<string, Func<JsonObject>> All = new Dictionary<string, Func<JsonObject>>
    {
        ["byte-level BPE"] = ByteLevel,
        ["SentencePiece BPE"] = SentencePiece,
        ["Metaspace BPE"] = Metaspace,
        ["BPE with affixes"] = Affixes,
        ["Unigram"] = Unigram,
        ["WordPiece"] = WordPiece,
        ["WordLevel"] = WordLevel,
        ["all components"] = Everything,
    };

    public static Tokenizer Open(string kind) => Open(All[kind]());

    public static Tokenizer Open(JsonObject json) => Tokenizer.Read(JsonSerializer.SerializeToUtf8Bytes(json), "tiny");

    private static JsonObject ByteLevel()
    {
        var vocabulary = Vocabulary(Enumerable.Range(0, 256).Select(b => ByteAlphabet.Char((byte)b).ToString()), "aa", "aaaa", "th", "the", "Ġt",
            "Ġthe", "Ġa", "in", "ing");
        return File(
            Model("BPE", vocabulary, ("merges", Merges("a a", "aa aa", "t h", "th e", "Ġ t", "Ġ the", "Ġ a", "i n", "in g"))),
            """{"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}""", """{"type": "NFC"}""", """{"type": "ByteLevel"}""",
            """{"type": "Sequence", "processors": [{"type": "ByteLevel"}, {"type": "RobertaProcessing", "cls": ["a", 64], "sep": ["b", 65]}]}""");
    }

    private static JsonObject SentencePiece()
    {
        var vocabulary = Vocabulary(["<unk>", "<s>", .. Bytes(), .. Letters(), "▁"], "aa", "aaaa", "th", "the", "▁t", "▁the", "▁a", "ab", "▁▁");
        return File(
            Model("BPE", vocabulary, ("merges", Merges("a a", "aa aa", "t h", "th e", "▁ t", "▁ the", "▁ a", "a b", "▁ ▁")), ("byte_fallback", true),
                ("unk_token", "<unk>"), ("fuse_unk", true)),
            "null", """
            {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}
            """,
            """
            {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
            {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
            """,
            """
            {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}}], "pair": [{"Sequence": {"id": "A", "type_id": 0}},
            {"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}
            """);
    }

    private static JsonObject Metaspace()
    {
        var file = SentencePiece();
        file["normalizer"] = null;
        file["pre_tokenizer"] = JsonNode.Parse("""{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true}""");
        file["decoder"] =
            JsonNode.Parse("""
            {"type": "Sequence", "decoders": [{"type": "ByteFallback"},
            {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true}]}
            """);
        return file;
    }

    private static JsonObject Affixes()
    {
        var vocabulary = Vocabulary(["<unk>", .. Letters(), .. Letters().Select(c => $"##{c}"), .. Letters().Select(c => $"{c}</w>"),
            .. Letters().Select(c => $"##{c}</w>")], "ab", "##cd</w>");
        return File(
            Model("BPE", vocabulary, ("merges", Merges("a ##b", "##c ##d</w>")), ("unk_token", "<unk>"), ("continuing_subword_prefix", "##"),
                ("end_of_word_suffix", "</w>")),
            """{"type": "WhitespaceSplit"}""", "null", """{"type": "BPEDecoder", "suffix": "</w>"}""", "null");
    }

    private static JsonObject Unigram()
    {
        var tokens = new JsonArray { new JsonArray("<unk>", 0.0) };
        foreach (var token in (string[])[.. Bytes(), .. Letters(), "▁", "▁the", "aa", "aaa", "the", "he", "▁▁"])
            tokens.Add(new JsonArray(token, -1.0 - (token.Length * 0.37 % 1) * 4));
        return File(
            new JsonObject { ["type"] = "Unigram", ["unk_id"] = 0, ["byte_fallback"] = true, ["vocab"] = tokens }, "null",
            """{"type": "Replace", "pattern": {"Regex": " "}, "content": "▁"}""",
            """{"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never"}]}""",
            "null");
    }

    private static JsonObject WordPiece() => File(
        Model("WordPiece", Vocabulary(["[UNK]", "[CLS]", "[SEP]", .. Letters(), .. Letters().Select(c => $"##{c}")], "the", "##ing", "##aa", "."),
            ("unk_token", "[UNK]"), ("continuing_subword_prefix", "##"), ("max_input_chars_per_word", 100_000_000)),
        """{"type": "BertPreTokenizer"}""",
        """{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true}""",
        """{"type": "WordPiece", "prefix": "##", "cleanup": true}""", """{"type": "BertProcessing", "cls": ["[CLS]", 1], "sep": ["[SEP]", 2]}""");

    private static JsonObject WordLevel()
    {
        var file = File(
            Model("WordLevel", Vocabulary(["<unk>", "the", "a", "."], "aa"), ("unk_token", "<unk>")), """{"type": "Whitespace"}""", "null", "null",
                "null");
        file["truncation"] = JsonNode.Parse("""{"direction": "Left", "max_length": 12, "strategy": "LongestFirst", "stride": 0}""");
        file["padding"] = JsonNode.Parse(
            """{"strategy": {"Fixed": 4}, "direction": "Left", "pad_to_multiple_of": 8, "pad_id": 0, "pad_type_id": 0, "pad_token": "<unk>"}""");
        return file;
    }

    private static JsonObject Everything()
    {
        var file = Unigram();
        file["normalizer"] = JsonNode.Parse("""
            {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "NFKD"}, {"type": "NFKC"}, {"type": "Lowercase"},
            {"type": "Strip", "strip_left": true, "strip_right": true},
            {"type": "StripAccents"}, {"type": "Nmt"}, {"type": "Replace", "pattern": {"Regex": "b+|x"}, "content": "b"},
            {"type": "Precompiled", "precompiled_charsmap": "BAAAAAAAAAA="}]}
            """);
        file["pre_tokenizer"] = JsonNode.Parse("""
            {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "\\s+"}, "behavior": "Isolated", "invert": false},
            {"type": "Digits", "individual_digits": true},
            {"type": "Punctuation", "behavior": "Contiguous"}, {"type": "CharDelimiterSplit", "delimiter": "|"},
            {"type": "FixedLength", "length": 50}, {"type": "UnicodeScripts"}]}
            """);
        file["decoder"] = JsonNode.Parse("""
            {"type": "Sequence", "decoders": [{"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": true},
            {"type": "ByteFallback"}, {"type": "BPEDecoder", "suffix": "</w>"},
            {"type": "Replace", "pattern": {"Regex": "q"}, "content": "k"}, {"type": "WordPiece", "prefix": "##", "cleanup": true},
            {"type": "Strip", "content": " ", "start": 1, "stop": 1}, {"type": "ByteLevel"}]}
            """);
        return file;
    }

    private static JsonObject File(JsonObject model, string preTokenizer, string normalizer, string decoder, string postProcessor) => new()
    {
        ["version"] = "1.0",
        ["truncation"] = null,
        ["padding"] = null,
        ["added_tokens"] = JsonNode.Parse("""
            [{"id": 900, "content": "<|end|>", "special": true, "normalized": false, "lstrip": false, "rstrip": false, "single_word": false},
            {"id": 901, "content": "word", "special": false, "normalized": true, "lstrip": true, "rstrip": true, "single_word": true}]
            """),
        ["normalizer"] = JsonNode.Parse(normalizer),
        ["pre_tokenizer"] = JsonNode.Parse(preTokenizer),
        ["post_processor"] = JsonNode.Parse(postProcessor),
        ["decoder"] = JsonNode.Parse(decoder),
        ["model"] = model,
    };

    private static JsonObject Model(string type, JsonObject vocabulary, params (string Name, JsonNode? Value)[] more)
    {
        var model = new JsonObject { ["type"] = type, ["vocab"] = vocabulary };
        foreach (var (name, value) in more) model[name] = value;
        return model;
    }

    private static JsonObject Vocabulary(IEnumerable<string> first, params string[] more)
    {
        var vocabulary = new JsonObject();
        foreach (var token in first.Concat(more)) vocabulary.TryAdd(token, vocabulary.Count);
        return vocabulary;
    }

    private static JsonArray Merges(params string[] merges) => [.. merges.Select(merge => (JsonNode)merge)];

    private static IEnumerable<string> Bytes() => Enumerable.Range(0, 256).Select(b => $"<0x{b:X2}>");

    private static IEnumerable<string> Letters() => "abcdefghijklmnopqrstuvwxyzABCT0123456789.,'".Select(c => c.ToString());
}
