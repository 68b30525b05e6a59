namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Finds how a model writes by its chat template's text: a template that lays out calls holds their markers. Most telling markers first, since
/// families borrow from one another. A template whose calls are written in a way that is not known gives a dialect without calls.
/// </summary>
internal static class DialectFinder
{
    public static string Find(string template)
    {
        if (Has("<minimax:tool_call>")) return "minimax_m2";
        if (Has("<seed:tool_call>")) return "seed_oss";
        if (Has("<|channel|>") && Has("<|message|>")) return "harmony";
        if (Has("<｜tool▁calls▁begin｜>")) return Has("```json") ? "deepseek_v3" : "deepseek_v31";
        if (Has("<|tool_call_begin|>")) return "kimi_k2";
        if (Has("[TOOL_CALLS]")) return "mistral";
        if (Has("<|START_ACTION|>")) return "cohere";
        if (Has("<|tool_call_start|>") || Has("<|tool_list_start|>")) return "lfm2";
        if (Has("<tool_calls>") && Has("[BEGIN FINAL RESPONSE]")) return "apriel";
        if (Has("<|start_of_role|>") && (Has("<|tool_call|>") || Has("Here is my thought process:") || Has("<response>"))) return "granite";
        // Some speak of <tool_call> in their prompt and write <tool_calls>.
        if (Has("<tool_call>") && !Has("<tool_calls>"))
        {
            if (Has("<arg_key>")) return "glm45";
            return Has("<function=") ? "qwen3_coder" : "hermes";
        }
        // Llama names the role of a tool's result; Functionary, which is made from it, has tags of its own.
        if (Has("<|start_header_id|>") && Has("ipython") && Has("\"parameters\"") && !Has("<function=")) return "llama3_json";
        return Has("<think>") || Has("</think>") ? "think" : "text";

        bool Has(string marker) => template.Contains(marker, StringComparison.Ordinal);
    }
}
