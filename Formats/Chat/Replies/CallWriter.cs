using System.Text;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Writes one call after another as events: its arguments become fragments of one JSON object as early as their types allow, strings while they come, all else when it is whole.
/// A parameter given twice counts once, the first time: its text may have been passed on already.
/// </summary>
internal sealed class CallWriter(ReplyOutput output, ToolTable tools, ReplyOptions options)
{
    private readonly StringBuilder arguments = new();
    private readonly StringBuilder value = new();            // of a parameter that is not streamed
    private readonly StringBuilder spaces = new();           // white space that is trimmed if nothing follows
    private HashSet<string> given = new(StringComparer.Ordinal);
    private JsonString streamed;
    private string name = "";
    private int index;
    private int sent;                                        // characters of arguments passed on
    private ValueTypes types;
    private bool isDropped;                                  // the call, or all there is of it
    private bool skipsValue;
    private bool isStreamed;
    private bool hasText;

    /// <summary>A call begins. One without a name, or to an undeclared tool, is read and dropped.</summary>
    public void Begin(string callName)
    {
        name = callName;
        isDropped = name.Length == 0 || (options.UndeclaredTools == UndeclaredTools.Drop && !tools.Allows(name));
        arguments.Clear();
        sent = 0;
        // Clearing a set costs its capacity: one call with very many parameters must not burden all later ones.
        if (given.Count > 64) given = new(StringComparer.Ordinal);
        else given.Clear();
        if (isDropped) return;
        index = output.NextCall();
        output.Add(new ToolCallBegun(index, name));
    }

    public void BeginParameter(string parameter)
    {
        skipsValue = isDropped || parameter.Length == 0 || !given.Add(Key(parameter));
        if (skipsValue) return;
        arguments.Append(given.Count == 1 ? "{" : ", ").Append(Key(parameter)).Append(": ");
        types = tools.TypesOf(name, parameter) ?? (options.Arguments.InferWithoutSchema ? ValueTypes.Inferred : ValueTypes.String);
        isStreamed = types == ValueTypes.String && options.Arguments is { DecodeEntities: false, NullAlways: false, LegacyWords: false };
        if (!isStreamed) return;
        arguments.Append('"');
        streamed = new JsonString(arguments);
        hasText = false;
    }

    /// <summary>More of the parameter's value.</summary>
    public void Append(ReadOnlySpan<char> text)
    {
        if (skipsValue) return;
        if (!isStreamed)
        {
            value.Append(text);
            return;
        }
        foreach (var c in text)
        {
            if (Spaces.IsTrimmed(c, options.Arguments))
            {
                if (hasText) spaces.Append(c);
                continue;
            }
            hasText = true;
            if (spaces.Length > 0)
            {
                foreach (var chunk in spaces.GetChunks()) streamed.Append(chunk.Span);
                spaces.Clear();
            }
            streamed.Append(c);
        }
    }

    public void EndParameter()
    {
        if (skipsValue) return;
        if (isStreamed)
        {
            spaces.Clear();
            streamed.End();
            arguments.Append('"');
        }
        else
        {
            ArgumentValue.Write(Spaces.Trim(value.ToString(), options.Arguments), types, options.Arguments, arguments);
            value.Clear();
        }
        Flush();
    }

    public void End(bool isComplete)
    {
        if (isDropped) return;
        arguments.Append(given.Count == 0 ? "{}" : "}");
        Flush();
        output.Add(new ToolCallEnded(index, name, arguments.ToString(), isComplete));
        isDropped = true;
    }

    /// <summary>Passes on what there is of the arguments.</summary>
    public void Flush()
    {
        if (isDropped || arguments.Length == sent) return;
        output.Add(new ToolCallArguments(index, arguments.ToString(sent, arguments.Length - sent)));
        sent = arguments.Length;
    }

    // Names that JSON cannot tell apart are the same name.
    private static string Key(string parameter)
    {
        var quoted = new StringBuilder();
        JsonString.Quote(parameter, quoted);
        return quoted.ToString();
    }
}
