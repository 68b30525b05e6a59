using System.Globalization;
using System.Text;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>The functions every template has: range, dict, namespace, joiner, cycler; chat templates raise_exception and strftime_now too.</summary>
internal static class Globals
{
    private const int MaxRange = 100_000;

    public static void Define(Scope scope, TemplateStyle style)
    {
        scope["range"] = new Callable("range", (_, a) => Range(a));
        scope["dict"] = new Callable("dict", (_, a) => Dict(a));
        scope["namespace"] = new Callable("namespace", (_, a) => Namespace(a));
        scope["joiner"] = new Callable("joiner", (_, a) => Joiner(a.Text(0, "sep", ", ")));
        scope["lipsum"] = new Callable("lipsum", (_, _) => throw new JinjaError("lipsum is not supported: a rendering is repeatable"));
        scope["cycler"] = new Callable("cycler", (_, a) => Cycler(a));
        if (!style.IsChat) return;
        scope["raise_exception"] = new Callable("raise_exception",
            (_, a) =>
            throw new JinjaError(a.TryGet(0, "message", out var words)
                ? Python.Str(words)
                : "raise_exception() missing 1 required positional argument: 'message'"));
        scope["strftime_now"] = new Callable("strftime_now", (run, a) => run.Made(StrFTime(run.Time.GetLocalNow(), a.Text(0, "format", ""))));
    }

    private static JinjaRange Range(Arguments a)
    {
        a.AtMost(3);
        var (start, stop) = a.Positional.Count > 1
            ? (Python.Index(a.Positional[0]), Python.Index(a.Positional[1]))
            : (0, Python.Index(a.Need(0, "stop")));
        var step = a.Whole(2, "step", 1);
        if (step == 0) throw new JinjaError("range() arg 3 must not be zero");
        var span = (Int128)stop - start;
        var count = step > 0 ? (span + step - 1) / step : (-span - step - 1) / -step;
        if (count > MaxRange) throw new JinjaError($"Range too big. The sandbox blocks ranges larger than MAX_RANGE ({MaxRange}).");
        return new JinjaRange(start, stop, step, (int)(count < 0 ? 0 : count));
    }

    private static JinjaDict Dict(Arguments a)
    {
        var dict = new JinjaDict();
        if (a.Positional.Count > 0)
        {
            if (a.Positional.Count > 1) throw new JinjaError($"dict expected at most 1 argument, got {a.Positional.Count}");
            if (a.Positional[0] is JinjaDict other)
            {
                foreach (var (key, value) in other.Entries) dict.Set(key, value);
            }
            else
            {
                var pairs = Python.Iterate(a.Positional[0]);
                for (var i = 0; i < pairs.Count; i++)
                {
                    if (pairs[i] is null or bool or long or double or System.Numerics.BigInteger)
                        throw new JinjaError($"cannot convert dictionary update sequence element #{i} to a sequence");
                    var pair = Python.Iterate(pairs[i]);
                    if (pair.Count != 2) throw new JinjaError($"dictionary update sequence element #{i} has length {pair.Count}; 2 is required");
                    dict.Set(pair[0], pair[1]);
                }
            }
        }
        foreach (var (key, value) in a.Named) dict.Set(key, value);
        return dict;
    }

    private static JinjaNamespace Namespace(Arguments a)
    {
        var space = new JinjaNamespace();
        foreach (var (key, value) in Dict(a).Entries) space.Attributes[Python.Str(key)] = value;
        return space;
    }

    private static Callable Joiner(string separator)
    {
        var used = false;
        return new Callable("joiner", (_, _) =>
        {
            var text = used ? separator : "";
            used = true;
            return text;
        });
    }

    private static JinjaNamespace Cycler(Arguments a)
    {
        if (a.Positional.Count == 0) throw new JinjaError("at least one item has to be provided");
        var at = 0;
        var cycler = new JinjaNamespace("Cycler");
        cycler.Attributes["current"] = a.Positional[0];
        cycler.Attributes["next"] = new Callable("next", (_, _) =>
        {
            var item = a.Positional[at];
            at = (at + 1) % a.Positional.Count;
            cycler.Attributes["current"] = a.Positional[at];
            return item;
        });
        cycler.Attributes["reset"] = new Callable("reset", (_, _) =>
        {
            at = 0;
            cycler.Attributes["current"] = a.Positional[0];
            return null;
        });
        return cycler;
    }

    // The directives of C's strftime in the C locale.
    private static string StrFTime(DateTimeOffset now, string format)
    {
        var text = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                text.Append(format[i]);
                continue;
            }
            var flag = format[++i] == '-' && i + 1 < format.Length;
            if (flag) i++;
            var value = Directive(now, format[i]);
            text.Append(flag && value is not null ? value.TrimStart('0') is { Length: > 0 } trimmed ? trimmed : "0" : value ?? $"%{format[i]}");
        }
        return text.ToString();
    }

    private static string? Directive(DateTimeOffset now, char directive)
    {
        string F(string format) => now.ToString(format, CultureInfo.InvariantCulture);
        return directive switch
        {
            'Y' =>
                F("yyyy"), 'y' =>
                    F("yy"), 'm' => F("MM"), 'd' => F("dd"), 'H' => F("HH"), 'I' => F("hh"), 'M' => F("mm"), 'S' => F("ss"), 'p' => F("tt"),
            'B' =>
                F("MMMM"), 'b' or 'h' =>
                    F("MMM"), 'A' => F("dddd"), 'a' => F("ddd"), 'j' => now.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
            'f' =>
                F("ffffff"), 'e' =>
                    now.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2), 'F' => F("yyyy-MM-dd"), 'T' => F("HH:mm:ss"), 'R' => F("HH:mm"),
            'D' =>
                F("MM/dd/yy"), 'x' =>
                    F("MM/dd/yy"), 'X' =>
                        F("HH:mm:ss"), 'c' => F("ddd MMM ") + now.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2) + F(" HH:mm:ss yyyy"),
            'u' =>
                (now.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)now.DayOfWeek).ToString(CultureInfo.InvariantCulture), 'w' =>
                    ((int)now.DayOfWeek).ToString(CultureInfo.InvariantCulture),
            'n' => "\n", 't' => "\t", '%' => "%", 'Z' or 'z' => "",
            _ => null,
        };
    }
}
