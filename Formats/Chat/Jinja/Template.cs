using System.Numerics;
using System.Text.Json;

namespace Quilt.Formats.Chat.Jinja;

/// <summary>
/// A Jinja template in an immutable sandbox with loop controls, set up as transformers runs chat templates or otherwise
/// (<see cref="TemplateStyle"/>). Parsed once; rendering is safe from several threads, bounded in steps, depth and output, and reaches nothing but
/// the values it is given.
/// </summary>
internal sealed class Template
{
    private readonly TemplateSource source;
    private readonly Block body;

    private Template(TemplateSource source, Block body) => (this.source, this.body) = (source, body);

    /// <summary>The template as it is written.</summary>
    public string Text => source.Text;

    /// <summary>Reads a template.</summary>
    /// <param name="text">Jinja.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="style">How Jinja is set up; null: as for chat templates.</param>
    /// <exception cref="JinjaException">The template cannot be read.</exception>
    public static Template Parse(string text, string name, TemplateStyle? style = null)
    {
        var source = new TemplateSource(text, name, style ?? TemplateStyle.Chat);
        return new Template(source, Parser.Parse(source));
    }

    /// <exception cref="JinjaException">The template refuses its variables, fails, or goes beyond a limit.</exception>
    public string Render(IEnumerable<KeyValuePair<string, object?>> variables, TimeProvider? time = null)
    {
        var run = new Run(source, time ?? TimeProvider.System);
        Globals.Define(run.Globals, source.Style);
        var scope = run.Top = new Scope(run.Globals);
        foreach (var (name, value) in variables) scope[name] = value;
        var before = Run.Enter(run);
        try
        {
            return body.Capture(run, scope);
        }
        catch (JinjaError error)
        {
            throw source.Error(run.Line, error.Message);
        }
        finally
        {
            Run.Enter(before);
        }
    }

    /// <summary>A JSON value as templates see it.</summary>
    public static object? FromJson(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => Dict(json),
        JsonValueKind.Array => new JinjaList([.. json.EnumerateArray().Select(FromJson)]),
        JsonValueKind.String => json.GetString(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => Numeric(json),
        _ => null,
    };

    private static JinjaDict Dict(JsonElement json)
    {
        var dict = new JinjaDict();
        foreach (var property in json.EnumerateObject()) dict.Set(property.Name, FromJson(property.Value));
        return dict;
    }

    // Written without a point or an exponent it is an int, of any size.
    private static object Numeric(JsonElement json)
    {
        var text = json.GetRawText();
        if (text.AsSpan().IndexOfAny(".eE") >= 0) return json.GetDouble();
        if (json.TryGetInt64(out var whole)) return whole;
        return text.Length <= 4300 ? BigInteger.Parse(text, System.Globalization.CultureInfo.InvariantCulture) : json.GetDouble();
    }
}
