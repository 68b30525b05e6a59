using Quilt.Formats.Grammars.Notations;

namespace Quilt.Formats.Grammars.Json;

/// <summary>Values of <c>format</c> that are held to; all others are annotations, as the specification has it.</summary>
internal static class TextFormats
{
    private const string Byte = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    private const string V4 = Byte + "(\\." + Byte + "){3}";
    private const string Label = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
    private const string Time = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])";
    private const string Hex = "[0-9A-Fa-f]";
    private const string Encoded = "%" + Hex + Hex;
    private const string Path = "([A-Za-z0-9._~!$&'()*+,;=:@-]|" + Encoded + ")";
    private const string NoScheme = "([A-Za-z0-9._~!$&'()*+,;=@-]|" + Encoded + ")";
    private const string Query = "([A-Za-z0-9._~!$&'()*+,;=:@/?-]|" + Encoded + ")*";

    private static readonly Dictionary<string, Lazy<GrammarNode>> Known = new(StringComparer.Ordinal)
    {
        ["date"] = Form(Date),
        ["time"] = Form(() => Regex(Time)),
        ["date-time"] = Form(() => Nodes.InOrder(Date(), Regex("T" + Time))),
        ["duration"] = Form(() => Regex(Duration())),
        ["email"] = Form(() => Regex("[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@" + Label + "(\\." + Label + ")*")),
        ["hostname"] = Form(() => Regex($"{Labels(63, 3)}|{Labels(31, 7)}|{Labels(15, 15)}|{Labels(7, 31)}")),
        ["ipv4"] = Form(() => Regex(V4)),
        ["ipv6"] = Form(() => Regex(V6())),
        ["uuid"] = Form(() => Regex($"{Hex}{{8}}(-{Hex}{{4}}){{3}}-{Hex}{{12}}")),
        ["uri"] = Form(() => Regex($"[A-Za-z][A-Za-z0-9+.-]*:{Hierarchy()}(\\?{Query})?(#{Query})?")),
        ["uri-reference"] = Form(() => Nodes.OneOf(
            Regex($"[A-Za-z][A-Za-z0-9+.-]*:{Hierarchy()}(\\?{Query})?(#{Query})?"),
            Regex($"(//{Authority()}(/{Path}*)*|/({Path}+(/{Path}*)*)?|({NoScheme}+(/{Path}*)*)?)(\\?{Query})?(#{Query})?"))),
        ["json-pointer"] = Form(() => Regex("(/([^~/]|~[01])*)*")),
    };

    /// <summary>Names of the formats that are held to.</summary>
    public static IReadOnlyCollection<string> Names => Known.Keys;

    /// <summary>Texts of a format; null where it is not one that is held to.</summary>
    public static GrammarNode? Find(string name) => Known.TryGetValue(name, out var form) ? form.Value : null;

    private static Lazy<GrammarNode> Form(Func<GrammarNode> make) => new(make);

    private static GrammarNode Regex(string pattern) => RegexReader.Read(pattern, ascii: true);

    // Days that exist, from year 1 on.
    private static GrammarNode Date()
    {
        const string days = "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))";
        const string four = "(0[48]|[2468][048]|[13579][26])";
        const string year = "([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])";
        return Regex($"({year}-{days}|([0-9]{{2}}{four}|{four}00)-02-29)");
    }

    // The more labels the shorter, so that none of these names has more than 253 characters, and nothing counts them.
    private static string Labels(int length, int most)
    {
        var label = $"[A-Za-z0-9]([A-Za-z0-9-]{{0,{length - 2}}}[A-Za-z0-9])?";
        return $"{label}(\\.{label}){{0,{most - 1}}}";
    }

    private static string Duration()
    {
        const string time = "T([0-9]+H([0-9]+M([0-9]+S)?)?|[0-9]+M([0-9]+S)?|[0-9]+S)";
        return $"P([0-9]+W|([0-9]+Y([0-9]+M([0-9]+D)?)?|[0-9]+M([0-9]+D)?|[0-9]+D)({time})?|{time})";
    }

    private static string V6()
    {
        var group = $"{Hex}{{1,4}}";
        var last = $"({group}:{group}|{V4})";
        var forms = new List<string> { $"({group}:){{6}}{last}" };
        // With :: there are some groups before and fewer behind; together seven at most.
        for (var behind = 5; behind >= 0; behind--)
        {
            var most = 5 - behind;
            var before = most == 0 ? "" : $"(({group}:){{0,{most - 1}}}{group})?";
            forms.Add($"{before}::({group}:){{{behind}}}{last}");
        }
        forms.Add($"(({group}:){{0,5}}{group})?::{group}");
        forms.Add($"(({group}:){{0,6}}{group})?::");
        return string.Join('|', forms);
    }

    private static string Authority() =>
        $"(([A-Za-z0-9._~!$&'()*+,;=:-]|{Encoded})*@)?(\\[({V6()})\\]|([A-Za-z0-9._~!$&'()*+,;=-]|{Encoded})*)(:[0-9]*)?";

    private static string Hierarchy() => $"(//{Authority()}(/{Path}*)*|/({Path}+(/{Path}*)*)?|{Path}+(/{Path}*)*)?";
}
