using System.Globalization;
using System.Numerics;

namespace Quilt.Quantizer.Yaml;

/// <summary>
/// A value of a YAML document. Aliases share one value, so the whole is a graph without cycles, and its size is that of the text.
/// </summary>
/// <param name="Kind">What it is.</param>
/// <param name="Tag">Its explicit tag, e.g. <c>tag:yaml.org,2002:python/tuple</c>; null where it has none.</param>
/// <param name="Line">The line it starts on, from 1.</param>
internal sealed record YamlValue(YamlKind Kind, string? Tag, int Line)
{
    /// <summary>A scalar as it is written, without its quotes.</summary>
    public string Text { get; init; } = "";

    /// <summary>The number of a <see cref="YamlKind.Whole"/>; 1 or 0 for a flag.</summary>
    public BigInteger Whole { get; init; }

    /// <summary>The number of a <see cref="YamlKind.Real"/>.</summary>
    public double Real { get; init; }

    /// <summary>The items of a list.</summary>
    public IReadOnlyList<YamlValue> Items { get; init; } = [];

    /// <summary>The entries of a mapping in the order of their first appearance; a key is a scalar and stands once.</summary>
    public IReadOnlyList<(YamlValue Key, YamlValue Value)> Entries { get; init; } = [];

    /// <summary>Values in it with itself, those behind aliases counted wherever they appear.</summary>
    public long Size { get; init; } = 1;

    /// <summary>What tells one key from another: 1 and 0x1 are one key, "1" is another.</summary>
    public (YamlKind Kind, string Text) Identity => Kind switch
    {
        YamlKind.Flag or YamlKind.Whole => (YamlKind.Whole, Whole.ToString(CultureInfo.InvariantCulture)),
        YamlKind.Real when double.IsInteger(Real) => (YamlKind.Whole, new BigInteger(Real).ToString(CultureInfo.InvariantCulture)),
        YamlKind.Real => (Kind, Real.ToString("R", CultureInfo.InvariantCulture)),
        YamlKind.Null => (Kind, ""),
        _ => (Kind, Text),
    };

    /// <summary>What it is, for a message.</summary>
    public string Show() => Kind switch
    {
        YamlKind.Null => "nothing",
        YamlKind.List => Items.Count == 0 ? "an empty list" : "a list",
        YamlKind.Mapping => Entries.Count == 0 ? "an empty mapping" : "a mapping",
        YamlKind.Flag => $"the truth value {Text}",
        YamlKind.Whole or YamlKind.Real => $"the number {Text}",
        YamlKind.Date => $"the date {Text}",
        _ => $"the text \"{(Text.Length <= 60 ? Text : Text[..60] + "…")}\"",
    };
}
