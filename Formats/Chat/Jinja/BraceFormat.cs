using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>'{} {name[0].key!r:>8}'.format(…). Fields reach members of values as templates do, so nothing else can be reached.</summary>
internal sealed class BraceFormat(Arguments arguments, Run run)
{
    private int next;

    public static string Apply(string format, Arguments arguments, Run run) => new BraceFormat(arguments, run).Fill(format, depth: 2);

    private string Fill(string format, int depth)
    {
        if (depth < 0) throw new JinjaError("Max string recursion exceeded");
        var text = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            var c = format[i];
            if (c is '{' or '}' && i + 1 < format.Length && format[i + 1] == c)
            {
                text.Append(c);
                i++;
            }
            else if (c == '}') throw new JinjaError("Single '}' encountered in format string");
            else if (c == '{')
            {
                var end = End(format, i);
                text.Append(Field(format[(i + 1)..end], depth));
                run.SpendText(text.Length);
                i = end;
            }
            else text.Append(c);
        }
        return text.ToString();
    }

    // The brace that closes the one at `open`; those in the specification are balanced.
    private static int End(string format, int open)
    {
        if (open + 1 == format.Length) throw new JinjaError("Single '{' encountered in format string");
        var nesting = 0;
        for (var i = open; i < format.Length; i++)
        {
            if (format[i] == '{') nesting++;
            else if (format[i] == '}' && --nesting == 0) return i;
        }
        throw new JinjaError("expected '}' before end of string");
    }

    private string Field(string field, int depth)
    {
        var colon = Outside(field, ':');
        var spec = colon < 0 ? "" : field[(colon + 1)..];
        var name = colon < 0 ? field : field[..colon];
        var mark = Outside(name, '!');
        var conversion = mark < 0 ? '\0'
            : mark + 1 < name.Length ? name[mark + 1]
            : throw new JinjaError("end of string while looking for conversion specifier");
        if (mark >= 0 && mark + 2 != name.Length) throw new JinjaError("expected ':' after conversion specifier");
        if (mark >= 0) name = name[..mark];
        var value = Value(name);
        run.SpendOn(value);
        if (spec.Contains('{', StringComparison.Ordinal)) spec = Fill(spec, depth - 1);
        return conversion switch
        {
            '\0' => FormatSpec.Apply(value, spec),
            's' => FormatSpec.Apply(Python.Str(value), spec),
            'r' => FormatSpec.Apply(Python.Repr(value), spec),
            'a' => FormatSpec.Apply(PythonText.Ascii(Python.Repr(value)), spec),
            _ => throw new JinjaError($"Unknown conversion specifier {conversion}"),
        };
    }

    private static int Outside(string text, char mark)
    {
        for (var (i, brackets) = (0, 0); i < text.Length; i++)
        {
            if (text[i] == '[') brackets++;
            else if (text[i] == ']') brackets--;
            else if (text[i] == mark && brackets <= 0) return i;
        }
        return -1;
    }

    private object? Value(string path)
    {
        var end = path.AsSpan().IndexOfAny('.', '[');
        var name = end < 0 ? path : path[..end];
        var place = name.Length == 0 ? next++ : int.TryParse(name, System.Globalization.NumberStyles.None, null, out var number) ? number : -1;
        object? value;
        if (place >= 0) value = place < arguments.Positional.Count ? arguments.Positional[place] : throw new JinjaError("tuple index out of range");
        else if (!arguments.TryGet(-1, name, out value)) throw new JinjaError($"'{name}'");
        for (var i = end < 0 ? path.Length : end; i < path.Length;)
        {
            if (path[i] == '.')
            {
                var stop = path.AsSpan(i + 1).IndexOfAny('.', '[') is >= 0 and var at ? i + 1 + at : path.Length;
                if (stop == i + 1) throw new JinjaError("Empty attribute in format string");
                value = Members.Attribute(value, path[(i + 1)..stop]);
                i = stop;
            }
            else if (path[i] == '[' && path.IndexOf(']', i) is >= 0 and var close)
            {
                var key = path[(i + 1)..close];
                value = Members.Item(value, long.TryParse(key, System.Globalization.NumberStyles.None, null, out var index) ? index : key);
                i = close + 1;
            }
            else throw new JinjaError(path[i] == '[' ? "Missing ']' in format string" : "Only '.' or '[' may follow ']' in format field specifier");
        }
        return value;
    }
}
