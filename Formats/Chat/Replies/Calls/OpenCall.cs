using System.Text;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Makes events of one call after another. Its arguments are written by others, into <see cref="Arguments"/>, and passed on as far as they are
/// written.
/// </summary>
internal sealed class OpenCall(ReplyOutput output, ToolTable tools, ReplyOptions options)
{
    private int index;
    private int sent;                                        // characters of the arguments passed on

    public string Name { get; private set; } = "";

    /// <summary>The call's arguments, or what there is of them.</summary>
    public StringBuilder Arguments { get; } = new();

    /// <summary>Whether the call vanishes, or there is none.</summary>
    public bool IsDropped { get; private set; } = true;

    /// <summary>Whether a call by this name is passed on.</summary>
    public bool Allows(string name) => name.Length > 0 && (options.UndeclaredTools != UndeclaredTools.Drop || tools.Allows(name));

    /// <summary>A call begins. One without a name, or to an undeclared tool, is read and dropped.</summary>
    public void Begin(string name)
    {
        Name = name;
        IsDropped = !Allows(name);
        Arguments.Clear();
        sent = 0;
        if (IsDropped) return;
        index = output.NextCall();
        output.Add(new ToolCallBegun(index, name));
    }

    /// <summary>The arguments are written to their end.</summary>
    public void End(bool isComplete)
    {
        if (IsDropped) return;
        Flush();
        output.Add(new ToolCallEnded(index, Name, Arguments.ToString(), isComplete));
        IsDropped = true;
    }

    /// <summary>Passes on what there is of the arguments.</summary>
    public void Flush()
    {
        if (IsDropped || Arguments.Length == sent) return;
        output.Add(new ToolCallArguments(index, Arguments.ToString(sent, Arguments.Length - sent)));
        sent = Arguments.Length;
    }
}
