using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>'{} and {name}'.format(…): plain fields only. Attributes, items and format specifications in a field are refused.</summary>
internal static class BraceFormat
{
    public static string Apply(string format, Arguments arguments, Run run)
    {
        var text = new StringBuilder();
        var next = 0;
        for (var i = 0; i < format.Length; i++)
        {
            var c = format[i];
            if (c is '{' or '}' && i + 1 < format.Length && format[i + 1] == c)
            {
                text.Append(c);
                i++;
                continue;
            }
            if (c == '}') throw new JinjaError("Single '}' encountered in format string");
            if (c != '{')
            {
                text.Append(c);
                continue;
            }
            var end = format.IndexOf('}', i);
            if (end < 0) throw new JinjaError("expected '}' before end of string");
            var field = format[(i + 1)..end];
            if (field.AsSpan().IndexOfAny(".[!:{") >= 0) throw new JinjaError($"the format field '{{{field}}}' is not supported");
            var place = field.Length == 0 ? next++ : int.TryParse(field, out var number) ? number : -1;
            if (!arguments.TryGet(place, field, out var value)) throw new JinjaError(place >= 0 ? "Replacement index out of range for positional args tuple" : $"'{field}'");
            text.Append(Python.Str(value));
            run.SpendText(text.Length);
            i = end;
        }
        return text.ToString();
    }
}
