using System.Text.Json;
using Quilt.Formats.Chat.Jinja;
using Quilt.Formats.Chat.Replies;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tokenizers.AddedTokens;

namespace Quilt.Formats.Chat;

/// <summary>
/// From a conversation to the prompt, by the template that came with a model. Templates are Jinja, run as transformers runs them, and can reach
/// nothing but their variables. Safe to use from several threads.
/// </summary>
public sealed class ChatTemplate
{
    private const string FileName = "chat_template.jinja";
    private const string Key = "chat_template";
    private const int MaxBytes = 4 << 20;
    private readonly Template template;
    private readonly Template? withTools;
    private readonly Lazy<bool> takesContentParts;
    private readonly IReadOnlyList<KeyValuePair<string, object?>> constants;

    private ChatTemplate(Template template, Template? withTools, IReadOnlyList<KeyValuePair<string, object?>> constants)
    {
        (this.template, this.withTools, this.constants) = (template, withTools, constants);
        ReplyDialect = ReplyParser.FindDialect((withTools ?? template).Text);
        takesContentParts = new(() => ContentParts.AreLookedInto((withTools ?? template).Text));
    }

    /// <summary>
    /// How the model replies, one of <see cref="ReplyParser.Dialects"/>: what the template's own text tells, the one for tools if there are two.
    /// </summary>
    public string ReplyDialect { get; }

    /// <summary>
    /// Whether it goes through the parts of a message's content itself (vLLM's content format openai); else content is one text (string).
    /// </summary>
    public bool TakesContentParts => takesContentParts.Value;

    /// <summary>Reads a template.</summary>
    /// <param name="text">Jinja.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <exception cref="JinjaException">It cannot be read.</exception>
    public static ChatTemplate Parse(string text, string name) => new(Template.Parse(text, name), null, []);

    /// <summary>Whether a model folder has a template.</summary>
    public static bool Exists(string folder) => Exists(folder, FolderTokens.Read(folder));

    /// <summary>
    /// Reads a model folder's template: chat_template.jinja, or the chat_template of tokenizer_config.json, whose special tokens become variables.
    /// </summary>
    /// <exception cref="BadInputException">There is none, or it cannot be read.</exception>
    public static ChatTemplate Open(string folder) => Open(folder, FolderTokens.Read(folder));

    /// <summary>Reads a template that takes the place of a model folder's own; the folder's special tokens are its variables too.</summary>
    /// <param name="folder">The model folder.</param>
    /// <param name="template">A file, or the template itself, which is told by its <c>{{</c> or <c>{%</c>.</param>
    /// <exception cref="BadInputException">It cannot be read.</exception>
    public static ChatTemplate OpenOther(string folder, string template)
    {
        ArgumentNullException.ThrowIfNull(template);
        var isText = template.Contains("{{", StringComparison.Ordinal) || template.Contains("{%", StringComparison.Ordinal);
        var text = isText ? template : System.Text.Encoding.UTF8.GetString(JsonText.ReadBytes(template, MaxBytes));
        return new(Template.Parse(text, isText ? Key : template), null, ConstantsOf(FolderTokens.Read(folder)));
    }

    /// <summary>The same template's constants around another text: a request's own template.</summary>
    /// <exception cref="JinjaException">It cannot be read.</exception>
    public ChatTemplate With(string text) => new(Template.Parse(text, Key), null, constants);

    /// <summary>The same where the files that speak of tokens are read already.</summary>
    internal static bool Exists(string folder, FolderTokens tokens) =>
        File.Exists(Path.Combine(folder, FileName)) || tokens.Settings?.Find(Key) is not null;

    /// <summary>The same where the files that speak of tokens are read already.</summary>
    internal static ChatTemplate Open(string folder, FolderTokens tokens)
    {
        var constants = ConstantsOf(tokens);
        var file = Path.Combine(folder, FileName);
        if (File.Exists(file))
            return new(Template.Parse(System.Text.Encoding.UTF8.GetString(JsonText.ReadBytes(file, MaxBytes)), file), null, constants);

        if (tokens.Settings is not { } config || config.Find(Key) is not { } own)
            throw new BadInputException(folder, null, $"expected a chat template ({FileName}, or {Key} in tokenizer_config.json), found none");
        if (own.ValueKind == JsonValueKind.String) return new(Template.Parse(config.Text(Key)!, config.Source), null, constants);

        // Several by name: [{"name": "default", "template": "…"}, {"name": "tool_use", …}].
        var named = new Dictionary<string, Template>(StringComparer.Ordinal);
        foreach (var item in own.ValueKind == JsonValueKind.Array ? [.. own.EnumerateArray()] : Array.Empty<JsonElement>())
        {
            if (item.ValueKind != JsonValueKind.Object) continue;
            var entry = new ConfigJson(item, config.Source, $"{Key}.");
            if (entry.Text("name") is { } name && entry.Text("template") is { } text)
                named[name] = Template.Parse(text, $"{config.Source} ({name})");
        }
        if (!named.TryGetValue("default", out var template)) throw config.Bad(Key, "expected a text, or a list with a template named \"default\"");
        return new(template, named.GetValueOrDefault("tool_use"), constants);
    }

    private static List<KeyValuePair<string, object?>> ConstantsOf(FolderTokens tokens) =>
        [.. tokens.Texts.Select(token => KeyValuePair.Create(token.Key, (object?)token.Value))];

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
            new("add_generation_prompt", conversation.AddGenerationPrompt && !conversation.ContinueFinalMessage),
        };
        foreach (var (name, value) in conversation.Variables) variables.Add(new(name, Template.FromJson(value)));
        var prompt = (conversation.Tools is null ? template : withTools ?? template).Render(variables, time);
        return conversation.ContinueFinalMessage ? FinalMessage.Cut(prompt, conversation) : prompt;
    }
}
