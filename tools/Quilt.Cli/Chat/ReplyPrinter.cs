using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Quilt.Cli.Chat;

/// <summary>
/// Prints a reply as it comes and keeps it for the history. On a terminal thinking is dimmed and calls are marked; elsewhere there is only text, one
/// JSON line a call, and thinking where it was asked for. Line breaks that only set thinking and text apart belong to neither.
/// </summary>
internal sealed class ReplyPrinter(bool terminal, bool thinking)
{
    private const string Dim = "\e[2m";
    private const string Plain = "\e[0m";
    private static readonly JsonSerializerOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly StringBuilder thought = new();
    private readonly StringBuilder text = new();
    private readonly List<(string Name, string Arguments)> calls = [];
    private int heldBreaks;
    private bool thinks;
    private bool lineOpen;

    /// <summary>Calls of the reply: name and JSON arguments.</summary>
    public IReadOnlyList<(string Name, string Arguments)> Calls => calls;

    /// <summary>A piece of thinking.</summary>
    public void Think(string piece)
    {
        var text = thought.Length == 0 ? piece.TrimStart('\n') : piece;
        thought.Append(text);
        if (text.Length == 0 || (!terminal && !thinking)) return;
        if (!thinks) Write(terminal ? Dim : "<think>");
        thinks = true;
        // Breaks at the end come once more follows.
        var body = text.TrimEnd('\n');
        if (body.Length > 0)
        {
            Write(new string('\n', heldBreaks) + body);
            heldBreaks = 0;
        }
        heldBreaks += text.Length - body.Length;
    }

    /// <summary>A piece of the reply's text.</summary>
    public void Say(string piece)
    {
        var said = text.Length == 0 ? piece.TrimStart('\n') : piece;
        if (said.Length == 0) return;
        EndThinking();
        text.Append(said);
        Write(said);
    }

    /// <summary>A whole tool call.</summary>
    public void Call(string name, string arguments)
    {
        EndThinking();
        calls.Add((name, arguments));
        if (lineOpen) Write("\n");
        var line = new JsonObject { ["name"] = name, ["arguments"] = JsonNode.Parse(arguments) }.ToJsonString(Compact);
        Write(terminal ? $"{Dim}{line}{Plain}\n" : line + "\n");
    }

    /// <summary>Ends the reply's last line.</summary>
    public void End()
    {
        EndThinking();
        if (lineOpen || (text.Length == 0 && calls.Count == 0)) Write("\n");
    }

    /// <summary>The reply as a message of the conversation.</summary>
    public JsonObject Message()
    {
        var message = new JsonObject { ["role"] = "assistant", ["content"] = text.ToString() };
        if (thought.Length > 0) message["reasoning_content"] = thought.ToString().TrimEnd('\n');
        if (calls.Count > 0)
        {
            message["tool_calls"] = new JsonArray([.. calls.Select(call => new JsonObject
            {
                ["type"] = "function",
                ["function"] = new JsonObject { ["name"] = call.Name, ["arguments"] = JsonNode.Parse(call.Arguments) },
            })]);
        }
        return message;
    }

    private void EndThinking()
    {
        if (!thinks) return;
        (thinks, heldBreaks) = (false, 0);
        Write(terminal ? $"{Plain}\n" : "</think>\n");
    }

    private void Write(string piece)
    {
        if (piece.Length == 0) return;
        Console.Out.Write(piece);
        lineOpen = piece[^1] != '\n';
    }
}
