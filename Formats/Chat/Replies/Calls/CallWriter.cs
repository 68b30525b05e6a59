using System.Text;

namespace Quilt.Formats.Chat.Replies;

/// <summary>
/// Writes the arguments of a call whose parameters come one by one as text: they become fragments of one JSON object as early as their types allow,
/// strings while they come, all else when it is whole. A parameter given twice counts once, the first time: its text may have been passed on already.
/// </summary>
internal sealed class CallWriter(OpenCall call, ToolTable tools, ReplyOptions options)
{
    private readonly StringBuilder arguments = call.Arguments;
    private readonly StringBuilder value = new();            // of a parameter that is not streamed
    private readonly StringBuilder spaces = new();           // white space that is trimmed if nothing follows
    private readonly List<(string Name, string Value)> waiting = [];   // parameters, while the call's tool, and so their types, are not known
    private HashSet<string> given = new(StringComparer.Ordinal);
    private string name = "";                                // of the open parameter
    private JsonString streamed;
    private bool skipsValue;
    private bool isStreamed;
    private bool hasText;
    private bool isFirst;                                    // character of the value

    /// <summary>A call begins.</summary>
    public void Begin(string tool)
    {
        call.Begin(tool);
        waiting.Clear();
        // Clearing a set costs its capacity: one call with very many parameters must not burden all later ones.
        if (given.Count > 64) given = new(StringComparer.Ordinal);
        else given.Clear();
    }

    public void BeginParameter(string parameter)
    {
        name = parameter;
        var key = Quoted(parameter);
        // Names that JSON cannot tell apart are the same name.
        skipsValue = parameter.Length == 0 || !given.Add(key);
        isStreamed = !skipsValue && !call.IsWaiting && TypesOf(parameter) == ValueTypes.String
            && options.Arguments is { DecodeEntities: false, NullAlways: false, LegacyWords: false };
        if (skipsValue || call.IsWaiting) return;
        arguments.Append(arguments.Length == 0 ? "{" : ", ").Append(key).Append(": ");
        if (!isStreamed) return;
        arguments.Append('"');
        streamed = new JsonString(arguments);
        hasText = false;
        isFirst = true;
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
            if (options.Arguments.Edge != ValueEdge.Trimmed)
            {
                AppendInside(c);
                continue;
            }
            if (Spaces.IsTrimmed(c, options.Arguments))
            {
                if (hasText) spaces.Append(c);
                continue;
            }
            hasText = true;
            ReleaseSpaces();
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
            call.Flush();
            return;
        }
        var text = Spaces.Trim(value.ToString(), options.Arguments);
        value.Clear();
        if (call.IsWaiting) waiting.Add((name, text));
        else Write(name, text);
        call.Flush();
    }

    public void End(bool isComplete)
    {
        if (call.IsWaiting)
        {
            call.Settle([.. waiting.Select(parameter => parameter.Name)], isComplete);
            foreach (var (parameter, text) in waiting)
            {
                arguments.Append(arguments.Length == 0 ? "{" : ", ").Append(Quoted(parameter)).Append(": ");
                Write(parameter, text);
            }
        }
        arguments.Append(arguments.Length == 0 ? "{}" : "}");
        call.End(isComplete);
    }

    private ValueTypes TypesOf(string parameter) => tools.TypesOf(call.Name, parameter) ?? options.Arguments.WithoutSchema;

    private void Write(string parameter, string text) => ArgumentValue.Write(text, TypesOf(parameter), options.Arguments, arguments);

    // Without trimming: only the one line break that stands at each end belongs to the markup, if any does.
    private void AppendInside(char c)
    {
        var holds = c == '\n' && options.Arguments.Edge == ValueEdge.OneLineBreak;
        if (!(holds && isFirst))
        {
            ReleaseSpaces();
            if (holds) spaces.Append(c);
            else streamed.Append(c);
        }
        isFirst = false;
    }

    private void ReleaseSpaces()
    {
        if (spaces.Length == 0) return;
        foreach (var chunk in spaces.GetChunks()) streamed.Append(chunk.Span);
        spaces.Clear();
    }

    private static string Quoted(string parameter)
    {
        var quoted = new StringBuilder();
        JsonString.Quote(parameter, quoted);
        return quoted.ToString();
    }
}
