using System.CommandLine;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Quilt.Formats;
using Quilt.Formats.Chat;
using Quilt.Formats.Chat.Replies;

namespace Quilt.Cli.Verbs;

/// <summary><c>parse-reply --dialect NAME</c> or <c>--template FILE</c>: how a reply's text is understood.</summary>
internal static class ParseReplyVerb
{
    private static readonly JsonWriterOptions jsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var dialect = new Option<string?>("--dialect") { Description = $"How the model writes: {string.Join(", ", ReplyParser.Dialects)}.",
            HelpName = "NAME" };
        var template = new Option<string?>(
            "--template") { Description = "A chat template, or a folder with one, whose text tells how the model writes.", HelpName = "FILE" };
        var tools = new Option<string?>("--tools") { Description = "A list of tools in OpenAI's form; calls to any other are dropped.",
            HelpName = "FILE" };
        var startsThinking = new Option<bool>("--starts-thinking") { Description = "The prompt ended inside the model's thinking." };
        var json = new Option<bool>("--json") { Description = "Print each event as a JSON object." };
        var command = new Command("parse-reply",
            "Reads pieces of a reply's text as JSON strings, one a line, from standard input; prints what they say, one event a line.") { dialect,
            template, tools, startsThinking, json };

        command.Validators.Add(result =>
        {
            if ((result.GetValue(dialect) is null) == (result.GetValue(template) is null))
                result.AddError("Expected one of --dialect NAME and --template FILE.");
        });
        command.SetAction((parsed, cancel) =>
        {
            var options = new ReplyOptions
            { StartsThinking = parsed.GetValue(startsThinking), Tools = parsed.GetValue(tools) is { } file ? InputFile.ReadTools(file) : null };
            var parser = ReplyParser.Create(parsed.GetValue(dialect) ?? Find(parsed.GetValue(template)!), options);
            return RunAsync(parser, Console.In, Console.Out, parsed.GetValue(json), cancel);
        });
        return command;
    }

    /// <summary>Reads to the end; every line's events are printed before the next is read.</summary>
    /// <exception cref="BadInputException">A line is no JSON string.</exception>
    internal static async Task<int> RunAsync(ReplyParser parser, TextReader input, TextWriter output, bool json, CancellationToken cancel)
    {
        var events = new List<ReplyEvent>();
        for (var line = 1; await input.ReadLineAsync(cancel) is { } text; line++)
        {
            if (string.IsNullOrWhiteSpace(text)) continue;
            parser.Push(Piece(text, line), events);
            await Print();
        }
        parser.Finish(events);
        await Print();
        return 0;

        async Task Print()
        {
            foreach (var e in events) await output.WriteLineAsync((json ? AsJson(e) : AsText(e)).AsMemory(), cancel);
            if (events.Count > 0) await output.FlushAsync(cancel);
            events.Clear();
        }
    }

    private static string Find(string template) =>
        (Directory.Exists(template)
            ? ChatTemplate.Open(template)
            : ChatTemplate.Parse(Encoding.UTF8.GetString(InputFile.ReadBytes(template)), template)).ReplyDialect;

    private static string Piece(string line, int number)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            if (document.RootElement.ValueKind == JsonValueKind.String) return document.RootElement.GetString()!;
            throw new BadInputException("standard input", $"line {number}", $"expected a JSON string, found {document.RootElement.ValueKind}");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            throw new BadInputException("standard input", $"line {number}", "expected a JSON string, found something else", e);
        }
    }

    private static string AsText(ReplyEvent e) => e switch
    {
        ThinkingText thinking => $"thinking   {Quoted(thinking.Text)}",
        ReplyText text => $"text       {Quoted(text.Text)}",
        ToolCallBegun begun => $"call {begun.Index}     {begun.Name.ReplaceLineEndings(" ")}",
        ToolCallArguments more => $"arguments  {Quoted(more.Json)}",
        ToolCallDropped dropped => $"dropped    {dropped.Name.ReplaceLineEndings(" ")} {dropped.Arguments}  ({Word(dropped.Reason)})",
        ToolCallEnded ended => $"end {ended.Index}      {ended.Arguments}{(ended.IsComplete ? "" : "  (cut short)")}",
        _ => e.ToString(),
    };

    private static string Word(DropReason reason) => reason switch
    {
        DropReason.UndeclaredTool => "undeclared_tool",
        DropReason.AmbiguousTool => "ambiguous_tool",
        DropReason.NoName => "no_name",
        _ => "cut_short",
    };

    private static string Quoted(string text) => Written(writer => writer.WriteStringValue(text));

    private static string AsJson(ReplyEvent e) => Written(writer =>
    {
        writer.WriteStartObject();
        switch (e)
        {
            case ThinkingText thinking:
                writer.WriteString("type", "thinking");
                writer.WriteString("text", thinking.Text);
                break;
            case ReplyText text:
                writer.WriteString("type", "text");
                writer.WriteString("text", text.Text);
                break;
            case ToolCallBegun begun:
                writer.WriteString("type", "tool_call");
                writer.WriteNumber("index", begun.Index);
                writer.WriteString("name", begun.Name);
                break;
            case ToolCallArguments more:
                writer.WriteString("type", "tool_call_arguments");
                writer.WriteNumber("index", more.Index);
                writer.WriteString("json", more.Json);
                break;
            case ToolCallEnded ended:
                writer.WriteString("type", "tool_call_end");
                writer.WriteNumber("index", ended.Index);
                writer.WriteString("name", ended.Name);
                writer.WriteString("arguments", ended.Arguments);
                writer.WriteBoolean("complete", ended.IsComplete);
                break;
            case ToolCallDropped dropped:
                writer.WriteString("type", "tool_call_dropped");
                writer.WriteString("name", dropped.Name);
                writer.WriteString("arguments", dropped.Arguments);
                writer.WriteString("reason", Word(dropped.Reason));
                break;
        }
        writer.WriteEndObject();
    });

    private static string Written(Action<Utf8JsonWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, jsonOptions)) write(writer);
        return Encoding.UTF8.GetString(bytes.ToArray());
    }
}
