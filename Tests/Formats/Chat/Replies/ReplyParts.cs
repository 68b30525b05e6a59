using CsCheck;

namespace Quilt.Tests.Formats.Chat.Replies;

/// <summary>What replies of each dialect are made of, for tests that put them together at random or against the grain.</summary>
internal static class ReplyParts
{
    private static readonly string[] anywhere = ["\n", "  ", "text", "12", "1.50", "true", "null", "<", "[", "{", "}", "]", ",", "\"", "\\", "\\u00",
        "é", "🌍", "\ud83c", ">", "=", "`", "```", "\n```\n", "~~~\n"];
    private static readonly string[] json =
    [
        "{\"name\": \"f\", \"arguments\": {\"p\": ", "{\"name\":\"g\",\"parameters\":{}}", "{\"arguments\": {\"q\": \"", "{\"p\": [1, ", "\"}}", "}}",
        "\"name\": \"f\"", "{}", ": ", ", ", "\"q\": \"v\"", "{\"p\": 1}",
    ];

    /// <summary>The dialect's markers, one that begins a block of calls (or thinking, if there are none) first.</summary>
    public static string[] Markers(string dialect) => dialect switch
    {
        "minimax_m2" or "minimax_m2_append_think" =>
        [
            "<minimax:tool_call>", "</minimax:tool_call>", "<invoke name=\"f\">", "<invoke name='g' x=\"a>b\">", "<invoke>", "</invoke>",
            "<parameter name=\"p\">", "<parameter name=q>", "< parameter name = \"n\" >",
            "</parameter>", "< / parameter >", "<think>", "</think>",
        ],
        "seed_oss" =>
            ["<seed:tool_call>", "</seed:tool_call>", "<function=f>", "</function>", "<parameter=p>", "</parameter>", "<seed:think>",
                "</seed:think>"],
        "qwen3_coder" =>
            ["<tool_call>", "</tool_call>", "<function=f>", "<function=>", "</function>", "<parameter=p>", "<parameter=q>", "</parameter>", "<think>",
                "</think>"],
        "hermes" => ["<tool_call>", "</tool_call>", "<think>", "</think>"],
        "llama3_json" => ["<|python_tag|>", ";"],
        "mistral" => ["[TOOL_CALLS]", "[ARGS]", "[CALL_ID]", "[THINK]", "[/THINK]", "f[ARGS]", "[TOOL_CALLS]f[CALL_ID]1[ARGS]{\"p\":"],
        "deepseek_v3" or "deepseek_v31" =>
            ["<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "<｜tool▁call▁begin｜>", "<｜tool▁sep｜>", "<｜tool▁call▁end｜>", "<think>", "</think>",
                "f<｜tool▁sep｜>", "function<｜tool▁sep｜>f\n```json\n"],
        "glm45" =>
            ["<tool_call>", "</tool_call>", "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>", "<think>", "</think>",
                "<tool_call>f\n<arg_key>p</arg_key>"],
        "kimi_k2" =>
        [
            "<|tool_calls_section_begin|>", "<|tool_calls_section_end|>", "<|tool_call_begin|>", "<|tool_call_argument_begin|>", "<|tool_call_end|>",
            "<think>", "</think>", "<|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>",
        ],
        "harmony" =>
            ["<|channel|>", "<|start|>", "<|message|>", "<|end|>", "<|call|>", "<|return|>", "<|constrain|>",
                "<|channel|>commentary to=functions.f<|message|>", "<|channel|>analysis<|message|>", "assistant", "to=functions.g "],
        "apriel" =>
            ["<tool_calls>", "</tool_calls>", "<thinking>", "</thinking>", "Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]",
                "[END FINAL RESPONSE]", "<tool_calls>[{\"name\": \"f\", \"arguments\": {\"p\": 1}}, "],
        "granite" =>
            ["<|tool_call|>", "<tool_call>", "</tool_call>", "<think>", "</think>", "<response>", "</response>", "Here is my thought process:",
                "Here's my response:", "<|tool_call|>[{\"name\": \"f\", \"arguments\": {\"p\": 1}}, "],
        "cohere" =>
            ["<|START_ACTION|>", "<|END_ACTION|>", "<|START_THINKING|>", "<|END_THINKING|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>",
                "<|START_TEXT|>", "<|START_ACTION|>[{\"tool_call_id\": \"0\", \"tool_name\": \"f\", \"parameters\": {\"p\": 1}}, "],
        "lfm2" =>
            ["<|tool_call_start|>", "<|tool_call_end|>", "<think>", "</think>", "[f(p=1, q='it's', ", "<|tool_call_start|>[f(p=",
                "g(q=\"v\")", ")]", "q=", "'", "'''", "(", ")", "None", "\\x4", "\\u00"],
        _ => ["<think>", "</think>"],
    };

    /// <summary>Replies put together from the dialect's parts at random.</summary>
    public static Gen<string> Replies(string dialect)
    {
        // Markers come often: most of the parts would be text otherwise.
        var markers = Markers(dialect);
        string[] parts = [.. markers, .. markers, .. anywhere, .. json];
        return Gen.Int[0, parts.Length - 1].Array[0, 30].Select(picks => string.Concat(picks.Select(i => parts[i])));
    }

    /// <summary>What is bad to meet again and again.</summary>
    public static IEnumerable<string> Hostile(string dialect) =>
        [.. Markers(dialect), .. json, "</parameter> x", "< ", "<", "[", "{", "\"", "\n", "\\u12", "x", "{\"a\":", "[[", "\"a\":1,", "{},", "1,",
            AroundValue(dialect).Before + "v" + AroundValue(dialect).Behind];

    /// <summary>Places in which it may be met.</summary>
    public static IEnumerable<string> Starts(string dialect)
    {
        var (before, _) = AroundValue(dialect);
        return ["", Markers(dialect)[0], before, before + "v\", \"q\": "];
    }

    /// <summary>A call with one argument p, without its value, which is a string; nothing behind where the dialect has no calls.</summary>
    public static (string Before, string Behind) AroundValue(string dialect) => dialect switch
    {
        "minimax_m2" or "minimax_m2_append_think" =>
            ("<minimax:tool_call><invoke name=\"f\"><parameter name=\"p\">", "</parameter></invoke></minimax:tool_call>"),
        "qwen3_coder" => ("<tool_call><function=f><parameter=p>\n", "\n</parameter></function></tool_call>"),
        "seed_oss" => ("<seed:tool_call><function=f><parameter=p>", "</parameter></function></seed:tool_call>"),
        "hermes" => ("<tool_call>{\"name\": \"f\", \"arguments\": {\"p\": \"", "\"}}</tool_call>"),
        "llama3_json" => ("{\"name\": \"f\", \"parameters\": {\"p\": \"", "\"}}"),
        "mistral" => ("[TOOL_CALLS]f[ARGS]{\"p\": \"", "\"}"),
        "deepseek_v3" =>
            ("<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{\"p\": \"", "\"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>"),
        "deepseek_v31" => ("<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{\"p\": \"", "\"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"),
        "glm45" => ("<tool_call>f<arg_key>p</arg_key><arg_value>", "</arg_value></tool_call>"),
        "kimi_k2" =>
            ("<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{\"p\": \"",
                "\"}<|tool_call_end|><|tool_calls_section_end|>"),
        "harmony" => ("<|channel|>commentary to=functions.f <|constrain|>json<|message|>{\"p\": \"", "\"}<|call|>"),
        "apriel" => ("<tool_calls>[{\"name\": \"f\", \"arguments\": {\"p\": \"", "\"}}]</tool_calls>"),
        "granite" => ("<|tool_call|>[{\"name\": \"f\", \"arguments\": {\"p\": \"", "\"}}]"),
        "cohere" =>
            ("<|START_ACTION|>[{\"tool_call_id\": \"0\", \"tool_name\": \"f\", \"parameters\": {\"p\": \"", "\"}}]<|END_ACTION|>"),
        "lfm2" => ("<|tool_call_start|>[f(p=\"", "\")]<|tool_call_end|>"),
        "think" or "text" => ("", ""),
        _ => throw new AssertionException($"What a call in {dialect} looks like is not said here."),
    };
}
