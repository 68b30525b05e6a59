using System.Text.Json;

namespace Quilt.Formats.Chat;

/// <summary>A prompt that ends inside its last message, as transformers' continue_final_message cuts it.</summary>
internal static class FinalMessage
{
    /// <summary>The prompt up to the end of the last message's text, its white space at the end too where the template kept that.</summary>
    /// <exception cref="BadInputException">There is no such text, or the template did not write it.</exception>
    public static string Cut(string prompt, Conversation conversation)
    {
        var text = TextOf(conversation);
        var bare = text.Trim();
        var at = bare.Length == 0 ? -1 : prompt.LastIndexOf(bare, StringComparison.Ordinal);
        if (at < 0)
            throw new BadInputException("messages", "continue_final_message",
                "expected a prompt that holds the last message's text, found none of it");
        var kept = text.TrimStart();
        return prompt.AsSpan(at).StartsWith(kept, StringComparison.Ordinal) ? prompt[..(at + kept.Length)] : prompt[..(at + bare.Length)];
    }

    private static string TextOf(Conversation conversation)
    {
        if (conversation.Messages.Count > 0 && conversation.Messages[^1].TryGetProperty("content", out var content))
        {
            if (content.ValueKind == JsonValueKind.String) return content.GetString()!;
            // Parts: the last that is text.
            foreach (var part in content.ValueKind == JsonValueKind.Array ? content.EnumerateArray().Reverse() : [])
            {
                if (part.ValueKind == JsonValueKind.Object && part.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String)
                    return text.GetString()!;
            }
        }
        throw new BadInputException("messages", "continue_final_message", "expected a last message with text to continue, found none");
    }
}
