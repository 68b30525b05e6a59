using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Quilt.Formats;
using Quilt.Formats.Chat.Jinja;
using Quilt.Quantizer.Yaml;

namespace Quilt.Quantizer.Calibration;

/// <summary>
/// The way templates choose among languages: <c>['Go', 'Rust'][hash(row|string) % 2]</c>. The list must be as long as the modulus, and what is chosen
/// is known without rendering.
/// </summary>
/// <param name="Items">The list's elements as written, without quotes.</param>
/// <param name="Modulus">How many of them are chosen from.</param>
internal sealed partial record ListChoice(IReadOnlyList<string> Items, int Modulus)
{
    private const int MaxTemplate = 64 << 10;

    /// <summary>All choices of a template.</summary>
    public static IEnumerable<ListChoice> In(string template)
    {
        if (template.Length > MaxTemplate) yield break;
        foreach (Match match in Form().Matches(template))
        {
            var modulus = match.Groups["modulus"].ValueSpan;
            var most = int.TryParse(modulus, CultureInfo.InvariantCulture, out var whole) ? whole : int.MaxValue;
            yield return new(Split(match.Groups["items"].Value), most);
        }
    }

    /// <summary>Refuses a template with a list that is shorter than its modulus.</summary>
    /// <exception cref="BadInputException">There is one; or the template is longer than any should be.</exception>
    public static void Check(YamlNode template)
    {
        var text = template.Text();
        if (text.Length > MaxTemplate) throw template.Bad($"a template of at most {MaxTemplate} characters", $"{text.Length} characters");
        foreach (var (items, modulus) in In(text))
        {
            if (items.Count < modulus)
                throw template.Bad($"a list of at least {modulus} elements for hash(row|string) % {modulus}", $"{items.Count}");
        }
    }

    /// <summary>What is chosen for a row.</summary>
    public string For(JinjaDict row) => Items[(int)(RowFunctions.Hash(Python.Str(row)) % Modulus)];

    // At commas outside of quotes; one at the end begins nothing.
    private static List<string> Split(string list)
    {
        var items = new List<string>();
        var item = new StringBuilder();
        var quote = '\0';
        var isThere = false;
        for (var i = 0; i < list.Length; i++)
        {
            var c = list[i];
            if (quote != '\0' && c == '\\' && i + 1 < list.Length) item.Append(list[++i]);
            else if (quote != '\0' && c == quote) quote = '\0';
            else if (quote == '\0' && c is '\'' or '"') (quote, isThere) = (c, true);
            else if (quote == '\0' && c == ',') End();
            else if (quote != '\0' || !char.IsWhiteSpace(c))
            {
                item.Append(c);
                isThere = true;
            }
        }
        End();
        return items;

        void End()
        {
            if (isThere) items.Add(item.ToString());
            item.Clear();
            isThere = false;
        }
    }

    // A flat list, strings in either quotes, then the index.
    [GeneratedRegex(
        """\[(?<items>(?>[^\[\]'"]+|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")*)\]\s*\[\s*hash\(\s*row\s*\|\s*string\s*\)\s*%\s*(?<modulus>\d+)\s*\]""",
        RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
