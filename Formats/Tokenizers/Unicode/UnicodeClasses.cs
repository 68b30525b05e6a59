using System.Globalization;

namespace Quilt.Formats.Tokenizers.Unicode;

/// <summary>
/// Named classes of code points as Oniguruma has them (Unicode 16.0). The general categories come from .NET, whose table is the same one;
/// the tests hold the two together.
/// </summary>
internal static class UnicodeClasses
{
    private static readonly string[] Names =
    [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Pc", "Pd", "Ps", "Pe", "Pi",
        "Pf", "Po",
        "Sm", "Sc", "Sk", "So", "Cn",
    ];

    private static readonly Lazy<CodePointSet[]> Categories = new(ReadCategories);

    private static readonly Lazy<Dictionary<string, CodePointSet>> Scripts = new(() => UnicodeResource.Sets("Scripts"));

    private static readonly Lazy<Dictionary<string, CodePointSet>> Properties = new(() => UnicodeResource.Sets("Properties"));

    private static readonly Dictionary<string, Lazy<CodePointSet>> Named = Build();

    public static CodePointSet Space { get; } = CodePointSet.Of(
        (0x09, 0x0D), (0x20, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F),
        (0x205F, 0x205F), (0x3000, 0x3000));

    public static CodePointSet Digit => Category("Nd");

    /// <summary>Oniguruma's <c>\w</c>: its Latin-1 table counts the superscript digits and the fractions as word characters.</summary>
    public static CodePointSet Word => Named["word"].Value;

    /// <summary>The <c>\w</c> of Rust's regex crate, which decides about added tokens that must be a single word.</summary>
    public static CodePointSet RustWord => Named["rustword"].Value;

    /// <summary>A class by its name in <c>\p{...}</c>, or null where it is not known here. Case, blanks, '-' and '_' do not count.</summary>
    public static CodePointSet? Find(string name)
    {
        var key = new string([.. name.Where(c => c is not (' ' or '-' or '_')).Select(char.ToLowerInvariant)]);
        if (key is "rustword") return null;
        return Named.TryGetValue(key, out var set) ? set.Value : Scripts.Value.GetValueOrDefault(key);
    }

    /// <summary>A set of the embedded table Properties.txt.</summary>
    public static CodePointSet Property(string name) => Properties.Value[name];

    private static CodePointSet Category(string name) => Categories.Value[Array.IndexOf(Names, name)];

    private static CodePointSet Union(string names) => CodePointSet.Of(names.Split(' ').SelectMany(name => Category(name).Ranges.ToArray()));

    private static Dictionary<string, Lazy<CodePointSet>> Build()
    {
        var named = new Dictionary<string, Lazy<CodePointSet>>();
        foreach (var name in Names) named[name.ToLowerInvariant()] = new(() => Category(name));
        foreach (var group in "LMNZCPS")
            named[char.ToLowerInvariant(group).ToString()] = new(() =>
                Union(string.Join(' ', Names.Where(name => name[0] == group && name != "Cs"))));
        // The only alphabetic code points outside the letters, marks and letter numbers are the circled Latin letters, and not every mark is
        // alphabetic.
        named["word"] = new(() =>
            Union("Lu Ll Lt Lm Lo Mn Mc Me Nd Nl Pc").Union(Circled).Union(CodePointSet.Of((0xB2, 0xB3), (0xB9, 0xB9), (0xBC, 0xBE))));
        named["rustword"] = new(() => Union("Lu Ll Lt Lm Lo Mn Mc Me Nd Nl Pc").Union(Circled).Union(CodePointSet.Of((0x200C, 0x200D))));
        named["space"] = new(() => Space);
        named["punct"] = named["p"];
        named["alpha"] = named["alphabetic"] = new(() => Union("Lu Ll Lt Lm Lo Nl").Union(Circled).Union(Property("alphabeticmark")));
        named["upper"] = named["uppercase"] = new(() => Category("Lu").Union(Property("otheruppercase")));
        named["lower"] = named["lowercase"] = new(() => Category("Ll").Union(Property("otherlowercase")));
        named["alnum"] = new(() => named["alpha"].Value.Union(Category("Nd")));
        named["digit"] = named["nd"];
        named["any"] = new(() => CodePointSet.All);
        named["letter"] = named["l"];
        named["number"] = named["n"];
        named["mark"] = named["m"];
        named["punctuation"] = named["p"];
        named["symbol"] = named["s"];
        named["separator"] = named["z"];
        return named;
    }

    private static CodePointSet Circled { get; } = CodePointSet.Of((0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189));

    private static CodePointSet[] ReadCategories()
    {
        var found = Names.Select(_ => new List<(int First, int Last)>()).ToArray();
        for (int first = 0, c = 1; c <= CodePoints.Last + 1; c++)
        {
            if (c <= CodePoints.Last && CharUnicodeInfo.GetUnicodeCategory(c) == CharUnicodeInfo.GetUnicodeCategory(first)) continue;
            found[(int)CharUnicodeInfo.GetUnicodeCategory(first)].Add((first, c - 1));
            first = c;
        }
        return [.. found.Select(ranges => CodePointSet.Of(ranges))];
    }
}
