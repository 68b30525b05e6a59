using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Quilt.Quantizer.Yaml;

/// <summary>
/// Builds the values of a document from a parser's events, as PyYAML's loader does: of a key that stands twice the last value counts, what
/// <c>&lt;&lt;</c> merges in gives way to the mapping's own keys, and of several merged mappings the first wins. Unknown tags are kept and mean
/// nothing. Depth, and size with every alias followed, are limited.
/// </summary>
internal sealed class YamlTree(IParser parser)
{
    private const int MaxDepth = 100;
    private const int MaxSize = 1_000_000;
    private readonly Dictionary<string, YamlValue?> anchors = new(StringComparer.Ordinal);

    /// <summary>The one document of a text; a text without any is nothing.</summary>
    /// <exception cref="YamlException">It is not YAML, or goes beyond a limit.</exception>
    public YamlValue Read()
    {
        parser.Consume<StreamStart>();
        if (parser.TryConsume<StreamEnd>(out _)) return new(YamlKind.Null, null, 1);
        parser.Consume<DocumentStart>();
        var root = Value(0);
        parser.Consume<DocumentEnd>();
        if (!parser.TryConsume<StreamEnd>(out _)) throw Bad(parser.Current!, "expected one document, found a second one");
        return root;
    }

    private YamlValue Value(int depth)
    {
        if (depth > MaxDepth) throw Bad(parser.Current!, $"expected at most {MaxDepth} levels of nesting, found more");
        var value = parser.Current switch
        {
            AnchorAlias alias => Alias(alias),
            Scalar scalar => Scalar(scalar),
            SequenceStart start => List(start, depth),
            MappingStart start => Mapping(start, depth),
            { } other => throw Bad(other, $"expected a value, found {other.GetType().Name}"),
            null => throw new YamlException("expected a value, found the end"),
        };
        if (value.Size > MaxSize) throw new YamlException($"expected at most {MaxSize} values with all aliases followed, found more");
        return value;
    }

    private YamlValue Alias(AnchorAlias alias)
    {
        parser.MoveNext();
        if (!anchors.TryGetValue(alias.Value.Value, out var value)) throw Bad(alias, $"expected an anchor &{alias.Value} before, found none");
        return value ?? throw Bad(alias, $"*{alias.Value} is inside of what it stands for");
    }

    private YamlValue Scalar(Scalar scalar)
    {
        parser.MoveNext();
        var line = (int)scalar.Start.Line;
        try
        {
            var value = TagOf(scalar) is { } tag ? YamlScalars.Tagged(scalar.Value, tag, line)
                : scalar.Style == ScalarStyle.Plain || scalar.Tag.IsNonSpecific ? YamlScalars.Plain(scalar.Value, line)
                : new YamlValue(YamlKind.Text, null, line) { Text = scalar.Value };
            return Anchored(scalar, value);
        }
        catch (FormatException)
        {
            throw Bad(scalar, $"expected {(TagOf(scalar) is { } tag ? $"a scalar that fits {tag}" : "a number")}, found {scalar.Value}");
        }
    }

    private YamlValue List(SequenceStart start, int depth)
    {
        Open(start);
        var items = new List<YamlValue>();
        var size = 1L;
        while (!parser.TryConsume<SequenceEnd>(out _))
        {
            items.Add(Value(depth + 1));
            size += items[^1].Size;
            Limit(start, size);
        }
        return Anchored(start, new(YamlKind.List, TagOf(start), (int)start.Start.Line) { Items = items, Size = size });
    }

    private YamlValue Mapping(MappingStart start, int depth)
    {
        Open(start);
        List<(YamlValue Key, YamlValue Value)> merged = [], own = [];
        var size = 1L;
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var isMerge = parser.Current is Scalar { Style: ScalarStyle.Plain, Value: "<<", Tag.IsEmpty: true };
            var key = Value(depth + 1);
            var value = Value(depth + 1);
            size += key.Size + value.Size;
            Limit(start, size);
            if (isMerge) merged.AddRange(Merged(value));
            else if (key.Kind is YamlKind.List or YamlKind.Mapping) throw Bad(start, $"expected a scalar as key, found {key.Show()}");
            else own.Add((key, value));
        }
        return Anchored(start, new(YamlKind.Mapping, TagOf(start), (int)start.Start.Line) { Entries = LastOfEach([.. merged, .. own]), Size = size });
    }

    private static IEnumerable<(YamlValue, YamlValue)> Merged(YamlValue value)
    {
        if (value.Kind == YamlKind.Mapping) return value.Entries;
        var other = value.Kind == YamlKind.List ? value.Items.FirstOrDefault(item => item.Kind != YamlKind.Mapping) : value;
        if (other is not null) throw new YamlException($"line {other.Line}: expected a mapping or a list of mappings to merge, found {other.Show()}");
        return value.Items.Reverse().SelectMany(item => item.Entries);
    }

    private static List<(YamlValue Key, YamlValue Value)> LastOfEach(List<(YamlValue Key, YamlValue Value)> entries)
    {
        var places = new Dictionary<(YamlKind, string), int>();
        var kept = new List<(YamlValue Key, YamlValue Value)>(entries.Count);
        foreach (var entry in entries)
        {
            if (places.TryAdd(entry.Key.Identity, kept.Count)) kept.Add(entry);
            else kept[places[entry.Key.Identity]] = (kept[places[entry.Key.Identity]].Key, entry.Value);
        }
        return kept;
    }

    // An anchor is known from its start on, so that an alias to what is not finished yet is told as one.
    private void Open(NodeEvent start)
    {
        parser.MoveNext();
        if (!start.Anchor.IsEmpty) anchors[start.Anchor.Value] = null;
    }

    private YamlValue Anchored(NodeEvent node, YamlValue value)
    {
        if (!node.Anchor.IsEmpty) anchors[node.Anchor.Value] = value;
        return value;
    }

    private static string? TagOf(NodeEvent node) => node.Tag.IsEmpty || node.Tag.IsNonSpecific ? null : node.Tag.Value;

    private static void Limit(NodeEvent start, long size)
    {
        if (size > MaxSize) throw Bad(start, $"expected at most {MaxSize} values with all aliases followed, found more");
    }

    private static YamlException Bad(ParsingEvent at, string problem) => new(at.Start, at.End, problem);
}
