namespace Quilt.Formats.Grammars.Tools;

/// <summary>The dialects' calls, as their sources (see each dialect's parser) lay them out. A dialect with several layouts takes each.</summary>
internal static class CallSyntaxes
{
    private const string Json = "{\"name\": \"\u0001\", \"arguments\": ";
    private const string QwenTags = "<function=\u0001>\n";

    private static readonly ParameterSyntax MiniMaxParameter = new(
        "<parameter name=\"\u0001\">", "</parameter>\n", ["parameter", "invoke"], ["</minimax:tool_call>", "<minimax:tool_call>"], "/pim");

    private static readonly ParameterSyntax QwenParameter = new(
        "<parameter=\u0001>\n", "\n</parameter>\n", ["parameter", "function"], ["</tool_call>", "<tool_call>"], "/pft");

    private static readonly CallSyntax MiniMax =
        new("<minimax:tool_call>\n", "<invoke name=\"\u0001\">\n", "</invoke>\n", "", "</minimax:tool_call>") { Parameter = MiniMaxParameter };

    private static readonly Dictionary<string, (CallSyntax[] Forms, string[] Begins)> Known = new(StringComparer.Ordinal)
    {
        ["apriel"] = ([new("<tool_calls>[", Json, "}", ", ", "]</tool_calls>")], ["<tool_calls>"]),
        ["cohere"] = (
            [new("<|START_ACTION|>[\n    ", "{\"tool_call_id\": \"\u0002\", \"tool_name\": \"\u0001\", \"parameters\": ", "}", ",\n    ",
                "\n]<|END_ACTION|>")],
            ["<|START_ACTION|>"]),
        ["deepseek_v3"] = (
            [new("<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>function<｜tool▁sep｜>\u0001\n```json\n", "\n```<｜tool▁call▁end｜>", "\n",
                "<｜tool▁calls▁end｜>")],
            ["<｜tool"]),
        ["deepseek_v31"] = (
            [new("<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>\u0001<｜tool▁sep｜>", "<｜tool▁call▁end｜>", "", "<｜tool▁calls▁end｜>")], ["<｜tool"]),
        ["glm45"] = ([Glm("\n"), Glm("")], ["<tool_call>"]),
        ["granite"] = ([new("<|tool_call|>[", Json, "}", ", ", "]")], ["<|tool_call|>", "<tool_call>"]),
        ["harmony"] = (
            [new("", "<|channel|>commentary to=functions.\u0001 <|constrain|>json<|message|>", "", null, "")], ["<|channel|>", "<|start|>"]),
        ["hermes"] = ([new("", "<tool_call>\n" + Json, "}\n</tool_call>", "\n", "")], ["<tool_call>"]),
        ["kimi_k2"] = (
            [new("<|tool_calls_section_begin|>", "<|tool_call_begin|>functions.\u0001:\u0002<|tool_call_argument_begin|>", "<|tool_call_end|>", "",
                "<|tool_calls_section_end|>")],
            ["<|tool_call"]),
        ["lfm2"] = ([new("<|tool_call_start|>[", Json, "}", ", ", "]<|tool_call_end|>")], ["<|tool_call_start|>"]),
        ["llama3_json"] = ([new("", "{\"name\": \"\u0001\", \"parameters\": ", "}", "; ", "")], ["<|python_tag|>"]),
        ["minimax_m2"] = ([MiniMax], ["<minimax:tool_call>", "<invoke"]),
        ["minimax_m2_append_think"] = ([MiniMax], ["<minimax:tool_call>", "<invoke"]),
        ["mistral"] = (
            [
                new("", "[TOOL_CALLS]\u0001[ARGS]", "", "", ""),
                new("", "[TOOL_CALLS]\u0001[CALL_ID]\u0003[ARGS]", "", "", ""),
                new("[TOOL_CALLS][", Json, "}", ", ", "]"),
            ],
            ["[TOOL_CALLS]"]),
        ["qwen3_coder"] = (
            [new("", "<tool_call>\n" + QwenTags, "</function>\n</tool_call>", "\n", "") { Parameter = QwenParameter }], ["<tool_call>", "<function"]),
        ["seed_oss"] = (
            [new("", "<seed:tool_call>\n" + QwenTags, "</function>\n</seed:tool_call>", "\n", "")
            {
                Parameter = QwenParameter with { Marks = ["</seed:tool_call>", "<seed:tool_call>"], Unsafe = "/pfs" },
            }],
            ["<seed:tool_call>", "<function"]),
    };

    /// <summary>A dialect's layouts, and with what calls begin, which text beside them may not hold; null where it has no calls.</summary>
    public static (CallSyntax[] Forms, string[] Begins)? Find(string dialect) => Known.TryGetValue(dialect, out var known) ? known : null;

    // GLM 4.5 breaks lines, 4.7 does not.
    private static CallSyntax Glm(string line) => new("", "<tool_call>\u0001" + line, "</tool_call>", "\n", "")
    {
        Parameter = new($"<arg_key>\u0001</arg_key>{line}<arg_value>", $"</arg_value>{line}", [],
            ["</arg_value>", "</tool_call>", "<tool_call>", "<arg_key>"], "/at"),
    };
}
