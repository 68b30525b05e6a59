using System.Text.Json;
using Quilt.Formats.Chat;
using Quilt.Hosting.Http;

namespace Quilt.Hosting.OpenAi;

/// <summary>What a request says of the chat template: variables, and perhaps a template of its own.</summary>
internal static class TemplateFields
{
    private const string Untrusted = "Chat template is passed with request, but --trust-request-chat-template is not set. " +
        "Refused request with untrusted chat template.";

    // Arguments of the function that renders templates elsewhere, not variables of theirs (CVE-2025-62426).
    private static readonly HashSet<string> Reserved = new(StringComparer.Ordinal)
    {
        "messages", "conversation", "tools", "documents", "add_generation_prompt", "continue_final_message", "tokenize", "tokenizer", "padding",
        "truncation", "max_length", "return_tensors", "return_dict", "return_assistant_tokens_mask", "tokenizer_kwargs",
    };

    /// <summary>The conversation of a request's messages, tools and variables.</summary>
    /// <exception cref="ApiException">A part of it cannot be read, or may not be given.</exception>
    public static Conversation Read(Fields body, ToolFields tools, QuiltServerOptions server, bool takesParts)
    {
        var messages = body.List("messages", MessageFields.Most)
            ?? throw ApiException.Bad("messages: expected a list of messages, found none.", "messages");
        if (messages.Count == 0) throw ApiException.Bad("messages: expected at least one message, found none.", "messages");
        var conversation = new Conversation { Tools = tools.List };
        foreach (var message in MessageFields.Read(messages, takesParts)) conversation.Add(message);

        var continues = body.Flag("continue_final_message") ?? false;
        if (continues && body.Flag("add_generation_prompt") == true)
            throw ApiException.Bad("Cannot set both `continue_final_message` and `add_generation_prompt` to True.");
        conversation.ContinueFinalMessage = continues;
        conversation.AddGenerationPrompt = body.Flag("add_generation_prompt") ?? true;

        foreach (var (name, value) in server.TemplateVariables) conversation.SetVariable(name, value);
        Effort(body, conversation);
        if (body.List("documents", 1024) is not null) conversation.SetVariable("documents", body.Any("documents")!.Value);
        if (body.Object("chat_template_kwargs") is { } own)
        {
            foreach (var property in own.Element.EnumerateObject())
            {
                if (property.Name == "chat_template") throw ApiException.Bad(Untrusted);
                if (Reserved.Contains(property.Name))
                {
                    throw ApiException.Bad($"chat_template_kwargs: expected variables of the template, found {property.Name}, which the server sets.",
                        "chat_template_kwargs");
                }
                conversation.SetVariable(property.Name, property.Value);
            }
        }
        return conversation;
    }

    /// <summary>The request's own template; null: the model's.</summary>
    /// <exception cref="ApiException">It has one, and may not.</exception>
    public static ChatTemplate? Template(Fields body, QuiltServerOptions server, ChatTemplate? model)
    {
        if (body.Text("chat_template") is not { } text) return null;
        if (!server.TrustRequestChatTemplate) throw ApiException.Bad(Untrusted);
        return model?.With(text) ?? ChatTemplate.Parse(text, "chat_template");
    }

    private static void Effort(Fields body, Conversation conversation)
    {
        if (body.Text("reasoning_effort") is not { } effort) return;
        if (effort is not ("none" or "minimal" or "low" or "medium" or "high" or "xhigh" or "max"))
        {
            throw ApiException.Bad("reasoning_effort: expected none, minimal, low, medium, high, xhigh or max, found " +
                $"{Fields.Shown(effort)}.", "reasoning_effort");
        }
        conversation.SetVariable("reasoning_effort", JsonElement.Parse($"\"{effort}\""));
        conversation.SetVariable("enable_thinking", JsonElement.Parse(effort == "none" ? "false" : "true"));
    }
}
