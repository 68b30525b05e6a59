using System.Text;
using System.Text.Json;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Makes events of one call after another. Its arguments are written by others, into <see cref="Arguments"/>, and passed on as far as they are
/// written. A call whose name does not tell its tool waits for its arguments, which may; one that is not passed on is told when it is over.
/// </summary>
internal sealed class OpenCall(ReplyOutput output, ToolTable tools, ReplyOptions options)
{
    private string written = "";                             // the name as the model wrote it
    private DropReason reason;
    private bool isPassedOn;
    private int index;
    private int sent;                                        // characters of the arguments passed on

    /// <summary>The tool's name: the declared one that was found for what the model wrote.</summary>
    public string Name { get; private set; } = "";

    /// <summary>The call's arguments, or what there is of them.</summary>
    public StringBuilder Arguments { get; } = new();

    /// <summary>Whether the call waits for the names of its arguments: see <see cref="Settle"/>.</summary>
    public bool IsWaiting { get; private set; }

    /// <summary>Whether a call by this name is passed on, whatever its arguments are.</summary>
    public bool Allows(string name) =>
        name.Length > 0 && (tools.IsEmpty || options.UndeclaredTools == UndeclaredTools.Forward || tools.Find(name).Tool is not null);

    /// <summary>A call begins.</summary>
    public void Begin(string name)
    {
        (Name, written, isPassedOn, IsWaiting) = (name, name, false, false);
        Arguments.Clear();
        sent = 0;
        var match = tools.Find(name);
        if (match.Tool is { } tool) PassOn(tool.Name);
        else if (!tools.IsEmpty && match.Fit == NameFit.SaysNothing) IsWaiting = true;
        else Refuse(match.Fit);
    }

    /// <summary>The names of a waiting call's arguments are known: they tell its tool, or nothing does.</summary>
    public void Settle(IReadOnlyCollection<string> arguments, bool isComplete)
    {
        IsWaiting = false;
        var match = tools.FindByArguments(arguments, isComplete);
        if (match.Tool is { } tool) PassOn(tool.Name);
        else Refuse(match.Fit);
    }

    /// <summary>The arguments are written to their end.</summary>
    public void End(bool isComplete)
    {
        if (IsWaiting) Settle(ArgumentNames(), isComplete);
        Flush();
        output.Add(isPassedOn
            ? new ToolCallEnded(index, Name, Arguments.ToString(), isComplete)
            : new ToolCallDropped(written, Arguments.ToString(), reason));
        isPassedOn = false;
    }

    /// <summary>A call of which the reply's end left nothing but a name, or half of one.</summary>
    public void CutShort(string name) => output.Add(new ToolCallDropped(name, "{}", DropReason.CutShort));

    /// <summary>Whether the last call, which is over, was dropped for want of a name.</summary>
    public bool WasNameless => !isPassedOn && written.Length == 0 && Name.Length == 0;

    /// <summary>Passes on what there is of the arguments.</summary>
    public void Flush()
    {
        if (!isPassedOn || Arguments.Length == sent) return;
        output.Add(new ToolCallArguments(index, Arguments.ToString(sent, Arguments.Length - sent)));
        sent = Arguments.Length;
    }

    private void PassOn(string name)
    {
        (Name, isPassedOn) = (name, true);
        index = output.NextCall();
        output.Add(new ToolCallBegun(index, name));
    }

    private void Refuse(NameFit fit)
    {
        if (written.Length > 0 && (tools.IsEmpty || options.UndeclaredTools == UndeclaredTools.Forward)) PassOn(written);
        else reason = fit == NameFit.Several ? DropReason.AmbiguousTool : written.Length == 0 ? DropReason.NoName : DropReason.UndeclaredTool;
    }

    private string[] ArgumentNames()
    {
        using var json = JsonDocument.Parse(Arguments.ToString());
        return [.. json.RootElement.EnumerateObject().Select(argument => argument.Name)];
    }
}
