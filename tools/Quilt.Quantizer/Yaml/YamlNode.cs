using System.Globalization;
using System.Text;
using Quilt.Formats;
using YamlDotNet.Core;

namespace Quilt.Quantizer.Yaml;

/// <summary>
/// A value of a YAML file and how one gets there, with typed, checked access: whatever is not as asked for throws a
/// <see cref="BadInputException"/> that names the file, the path of keys, the line, what was expected and what was found.
/// </summary>
internal sealed class YamlNode
{
    private const int MaxBytes = 4 << 20;
    private readonly YamlValue value;

    private YamlNode(string file, string path, YamlValue value) => (File, Path, this.value) = (file, path, value);

    /// <summary>The file it is from.</summary>
    public string File { get; }

    /// <summary>Keys and places from the root, e.g. <c>calibration_set.datasets[2].split</c>; empty for the root.</summary>
    public string Path { get; }

    /// <summary>The line it starts on, from 1; an alias's value is where its anchor is.</summary>
    public int Line => value.Line;

    /// <summary>What it is.</summary>
    public YamlKind Kind => value.Kind;

    /// <summary>Its explicit tag, e.g. <c>tag:yaml.org,2002:python/object/apply:torch.device</c>; null where it has none.</summary>
    public string? Tag => value.Tag;

    /// <summary>Whether there is nothing: empty, <c>~</c> or <c>null</c>.</summary>
    public bool IsNull => Kind == YamlKind.Null;

    /// <summary>Reads a file.</summary>
    /// <exception cref="BadInputException">It cannot be read, is not YAML, or goes beyond a limit of size, depth or aliases.</exception>
    public static YamlNode Read(string path) => Parse(Encoding.UTF8.GetString(JsonText.ReadBytes(path, MaxBytes)), path);

    /// <summary>Reads a text.</summary>
    /// <param name="text">YAML.</param>
    /// <param name="file">What to call it in messages.</param>
    /// <exception cref="BadInputException">It is not YAML, or goes beyond a limit of depth or aliases.</exception>
    public static YamlNode Parse(string text, string file)
    {
        try
        {
            return new YamlNode(file, "", new YamlTree(new Parser(new StringReader(text))).Read());
        }
        catch (YamlException e)
        {
            var part = e.Start.Line > 0 ? string.Create(CultureInfo.InvariantCulture, $"line {e.Start.Line}") : null;
            throw new BadInputException(file, part, $"expected YAML: {e.Message}", e);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            // What the parser says of an empty tag, or of an escape beyond Unicode.
            throw new BadInputException(file, null, $"expected YAML: {e.Message}", e);
        }
    }

    /// <summary>What a key of a mapping holds; null where it is missing or holds nothing.</summary>
    public YamlNode? Find(string key)
    {
        RequireMapping();
        foreach (var (name, held) in value.Entries)
        {
            if (name.Kind == YamlKind.Text && name.Text == key) return held.Kind == YamlKind.Null ? null : Child(key, held);
        }
        return null;
    }

    /// <summary>What a key of a mapping holds, which is not nothing.</summary>
    /// <param name="key">The key.</param>
    /// <param name="expected">What belongs there, for the complaint: "a list of datasets".</param>
    public YamlNode Need(string key, string expected) => Find(key) ?? throw Child(key, value).Bad(expected, "nothing");

    /// <summary>The entries of a mapping in their order; keys are texts.</summary>
    public IReadOnlyList<KeyValuePair<string, YamlNode>> Entries()
    {
        RequireMapping();
        return [.. value.Entries.Select(entry => entry.Key.Kind == YamlKind.Text
            ? KeyValuePair.Create(entry.Key.Text, Child(entry.Key.Text, entry.Value))
            : throw Bad("a text as key", $"{entry.Key.Show()} on line {entry.Key.Line.ToString(CultureInfo.InvariantCulture)}"))];
    }

    /// <summary>The items of a list.</summary>
    public IReadOnlyList<YamlNode> Items() => Kind == YamlKind.List
        ? [.. value.Items.Select((item, i) => new YamlNode(File, string.Create(CultureInfo.InvariantCulture, $"{Path}[{i}]"), item))]
        : throw Bad("a list");

    /// <summary>A text, quoted or plain; what YAML reads as a number, a date or a truth value is none.</summary>
    public string Text() => Kind == YamlKind.Text ? value.Text : throw Bad("a text");

    /// <summary>A text, or a list of texts.</summary>
    public IReadOnlyList<string> Texts() => Kind == YamlKind.Text ? [value.Text] : [.. Items().Select(item => item.Text())];

    /// <summary>The text of any scalar as it is written, without quotes.</summary>
    public string Written() => Kind is YamlKind.List or YamlKind.Mapping ? throw Bad("one value") : value.Text;

    /// <summary>A whole number within bounds.</summary>
    public long Whole(long min = long.MinValue, long max = long.MaxValue)
    {
        if (Kind == YamlKind.Whole && value.Whole >= min && value.Whole <= max) return (long)value.Whole;
        var (from, to) = (min.ToString(CultureInfo.InvariantCulture), max.ToString(CultureInfo.InvariantCulture));
        throw Bad(max < long.MaxValue ? $"a whole number from {from} to {to}"
            : min > long.MinValue ? $"a whole number from {from} on"
            : "a whole number");
    }

    /// <summary>A number, whole or not.</summary>
    public double Real() => Kind switch
    {
        YamlKind.Real => value.Real,
        YamlKind.Whole => (double)value.Whole,
        _ => throw Bad("a number"),
    };

    /// <summary>A truth value.</summary>
    public bool Flag() => Kind == YamlKind.Flag ? !value.Whole.IsZero : throw Bad("true or false");

    /// <summary>What it is, for a message.</summary>
    public string Show() => value.Show();

    /// <summary>A complaint about this node.</summary>
    /// <param name="expected">What belongs here: "a text".</param>
    /// <param name="found">What is here; null: what <see cref="Show"/> says.</param>
    public BadInputException Bad(string expected, string? found = null)
    {
        var line = string.Create(CultureInfo.InvariantCulture, $"line {Line}");
        return new(File, Path.Length == 0 ? line : $"{Path} ({line})", $"expected {expected}, found {found ?? Show()}");
    }

    private YamlNode Child(string key, YamlValue held) => new(File, Path.Length == 0 ? key : $"{Path}.{key}", held);

    private void RequireMapping()
    {
        if (Kind != YamlKind.Mapping) throw Bad("a mapping");
    }
}
