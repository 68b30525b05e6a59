using System.Text.Json;
using Quilt.Formats.Chat.Jinja;
using Quilt.Formats.Chat.Replies;

namespace Quilt.Formats.Chat;

/// <summary>
/// From a conversation to the prompt, by the template that came with a model. Templates are Jinja, run as transformers runs them, and can reach
/// nothing but their variables. Safe to use from several threads.
/// </summary>
public sealed class ChatTemplate
{
    private const string FileName = "chat_template.jinja";
    private const string ConfigName = "tokenizer_config.json";
    private const int MaxBytes = 4 << 20;
    private readonly Template template;
    private readonly Template? withTools;
    private readonly IReadOnlyList<KeyValuePair<string, object?>> constants;

    private ChatTemplate(Template template, Template? withTools, IReadOnlyList<KeyValuePair<string, object?>> constants)
    {
        (this.template, this.withTools, this.constants) = (template, withTools, constants);
        ReplyDialect = ReplyParser.FindDialect((withTools ?? template).Text);
    }

    /// <summary>
    /// How the model replies, one of <see cref="ReplyParser.Dialects"/>: what the template's own text tells, the one for tools if there are two.
    /// </summary>
    public string ReplyDialect { get; }

    /// <summary>Reads a template.</summary>
    /// <param name="text">Jinja.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <exception cref="JinjaException">It cannot be read.</exception>
    public static ChatTemplate Parse(string text, string name) => new(Template.Parse(text, name), null, []);

    /// <summary>Whether a model folder has a template.</summary>
    public static bool Exists(string folder) =>
        File.Exists(Path.Combine(folder, FileName))
            || (ReadConfig(folder) is { } config && config.TryGetProperty("chat_template", out var own) && own.ValueKind != JsonValueKind.Null);

    /// <summary>
    /// Reads a model folder's template: chat_template.jinja, or the chat_template of tokenizer_config.json, whose special tokens become variables.
    /// </summary>
    /// <exception cref="BadInputException">There is none, or it cannot be read.</exception>
    public static ChatTemplate Open(string folder)
    {
        var config = ReadConfig(folder);
        var constants = SpecialTokens(config);
        var file = Path.Combine(folder, FileName);
        if (File.Exists(file))
            return new(Template.Parse(System.Text.Encoding.UTF8.GetString(JsonText.ReadBytes(file, MaxBytes)), file), null, constants);

        var source = Path.Combine(folder, ConfigName);
        if (config is not { } json || !json.TryGetProperty("chat_template", out var own) || own.ValueKind == JsonValueKind.Null)
            throw new BadInputException(folder, null, $"expected a chat template ({FileName}, or chat_template in {ConfigName}), found none");
        if (own.ValueKind == JsonValueKind.String) return new(Template.Parse(own.GetString()!, source), null, constants);

        // Several by name: [{"name": "default", "template": "…"}, {"name": "tool_use", …}].
        var named = new Dictionary<string, Template>(StringComparer.Ordinal);
        if (own.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in own.EnumerateArray())
            {
                if (item.ValueKind == JsonValueKind.Object && item.TryGetProperty("name", out var name)
                    && item.TryGetProperty("template", out var text) && name.ValueKind == JsonValueKind.String
                    && text.ValueKind == JsonValueKind.String)
                    named[name.GetString()!] = Template.Parse(text.GetString()!, $"{source} ({name.GetString()})");
            }
        }
        if (!named.TryGetValue("default", out var template))
            throw new BadInputException(source, "chat_template", "expected a text, or a list with a template named \"default\"");
        return new(template, named.GetValueOrDefault("tool_use"), constants);
    }

    /// <summary>The prompt of a conversation.</summary>
    /// <exception cref="JinjaException">The template refuses the conversation, fails, or needs more steps, depth or output than is
    /// allowed.</exception>
    public string Render(Conversation conversation) => Render(conversation, null);

    internal string Render(Conversation conversation, TimeProvider? time)
    {
        ArgumentNullException.ThrowIfNull(conversation);
        var variables = new List<KeyValuePair<string, object?>>(constants)
        {
            new("messages", new JinjaList([.. conversation.Messages.Select(Template.FromJson)])),
            new("tools", conversation.Tools is { } tools ? Template.FromJson(tools) : null),
            new("documents", null),
            new("add_generation_prompt", conversation.AddGenerationPrompt),
        };
        foreach (var (name, value) in conversation.Variables) variables.Add(new(name, Template.FromJson(value)));
        return (conversation.Tools is null ? template : withTools ?? template).Render(variables, time);
    }

    private static JsonElement? ReadConfig(string folder)
    {
        var path = Path.Combine(folder, ConfigName);
        return File.Exists(path) ? JsonText.ReadSettings(path) : null;
    }

    private static List<KeyValuePair<string, object?>> SpecialTokens(JsonElement? config)
    {
        var tokens = new List<KeyValuePair<string, object?>>();
        if (config is not { } json) return tokens;
        foreach (var property in json.EnumerateObject())
        {
            if (!property.Name.EndsWith("_token", StringComparison.Ordinal)) continue;
            var value = property.Value;
            if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty("content", out var content)) value = content;
            if (value.ValueKind == JsonValueKind.String) tokens.Add(new(property.Name, value.GetString()));
        }
        return tokens;
    }
}
