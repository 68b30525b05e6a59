using Quilt.Formats.Grammars.Json;
using Quilt.Formats.Grammars.Notations;

namespace Quilt.Formats.Grammars.Tags;

/// <summary>
/// Structural tags as xgrammar defines them: text that is free until a trigger and constrained behind it, tags in a row, sequences and alternatives;
/// and vLLM's older form with <c>structures</c> and <c>triggers</c>.
/// </summary>
internal sealed class StructuralTagReader
{
    private const int MaxLength = 4 << 20;
    private readonly Dictionary<string, GrammarNode> rules = new(StringComparer.Ordinal);
    private readonly JsonGrammarOptions options;

    private StructuralTagReader(JsonGrammarOptions options) => this.options = options;

    /// <summary>Reads a structural tag.</summary>
    /// <exception cref="BadInputException">It is malformed or not supported.</exception>
    public static GrammarRules Read(string json, JsonGrammarOptions options)
    {
        var root = TagJson.Parse(json, MaxLength);
        var reader = new StructuralTagReader(options);
        if (root.Has("structures")) return new GrammarRules(reader.Triggered(root, "structures", []), reader.rules);
        if (root.TextOrNull("type") is not (null or "structural_tag")) throw root.Bad("type", "'structural_tag' is expected");
        if (!root.Has("format")) throw root.Bad("format", "is missing");
        return new GrammarRules(reader.Format(root.Object("format"), []), reader.rules);
    }

    // ends: strings that end what encloses this, so that free text in it may not hold them.
    private GrammarNode Format(TagJson format, IReadOnlyCollection<string> ends)
    {
        switch (format.Text("type"))
        {
            case "const_string": return Nodes.Text(format.Text("value"));
            case "json_schema": return Schema(format, format.TextOrNull("style") ?? "json");
            case "qwen_xml_parameter": return Schema(format, "qwen_xml");
            case "regex": return RegexReader.Read(format.Text("pattern"), source: $"structural tag: {format.Place}/pattern");
            case "grammar": return Merge(Grammar.ReadRules(format.Text("grammar")));
            case "any_text": return FreeText.Without([.. ends, .. format.Has("excludes") ? format.Texts("excludes") : []]);
            case "tag": return Tag(format, skipped: 0);
            case "triggered_tags": return Triggered(format, "tags", ends);
            case "tags_with_separator": return Separated(format);
            case "sequence": return new Sequence([.. Elements(format).Select(element => Format(element, ends))]);
            case "or": return new Choice([.. Elements(format).Select(element => Format(element, ends))]);
            case var other: throw format.Bad("type", $"'{other}' is not supported");
        }
    }

    private static List<TagJson> Elements(TagJson format) =>
        format.Objects("elements") is { Count: > 0 } elements ? elements : throw format.Bad("elements", "at least one is expected");

    // A tag without the first characters of its beginning.
    private GrammarNode Tag(TagJson tag, int skipped)
    {
        var begin = Nodes.Text(tag.Text("begin")[skipped..]);
        var ends = Ends(tag);
        if (tag.Has("schema") || !tag.Has("content"))
            return new Sequence([begin, Schema(tag, "json", tag.Has("schema") ? "schema" : "content"), End(ends)]);
        var content = tag.Object("content");
        var marks = ends.Where(end => end.Length > 0).ToArray();
        if (content.Text("type") == "any_text" && marks.Length == ends.Count)
            return new Sequence([begin, new Choice([.. ends.Select(end => FreeText.Until(end, marks))])]);
        return new Sequence([begin, Format(content, marks), End(ends)]);
    }

    private static List<string> Ends(TagJson tag)
    {
        if (tag.Value("end").ValueKind != System.Text.Json.JsonValueKind.Array) return [tag.Text("end")];
        return tag.Texts("end") is { Count: > 0 } ends ? ends : throw tag.Bad("end", "at least one is expected");
    }

    private static Choice End(List<string> ends) => new([.. ends.Select(Nodes.Text)]);

    private GrammarNode Triggered(TagJson format, string key, IReadOnlyCollection<string> ends)
    {
        var triggers = format.Texts("triggers").Distinct(StringComparer.Ordinal).ToList();
        if (triggers.Count == 0) throw format.Bad("triggers", "at least one is expected");
        foreach (var trigger in triggers)
        {
            if (trigger.Length == 0) throw format.Bad("triggers", "one is empty");
            if (triggers.Exists(other => other != trigger && other.Contains(trigger, StringComparison.Ordinal)))
                throw format.Bad("triggers", $"'{trigger}' is a part of another one");
        }
        var tags = triggers.ToDictionary(trigger => trigger, _ => new List<GrammarNode>(), StringComparer.Ordinal);
        foreach (var tag in format.Objects(key))
        {
            var begin = tag.Text("begin");
            var trigger = triggers.Find(trigger => begin.StartsWith(trigger, StringComparison.Ordinal))
                ?? throw tag.Bad("begin", "begins with none of the triggers");
            tags[trigger].Add(Tag(tag, trigger.Length));
        }
        string[] stops = [.. triggers, .. ends, .. format.Has("excludes") ? format.Texts("excludes") : []];
        var text = FreeText.Without(stops);
        var call = new Choice([.. triggers.Select(trigger => new Sequence([FreeText.Until(trigger, stops), new Choice([.. tags[trigger]])]))]);
        var needed = format.Flag("at_least_one");
        if (format.Flag("stop_after_first")) return needed ? call : new Choice([call, text]);
        return new Sequence([new Repeat(call, needed ? 1 : 0, null), text]);
    }

    private GrammarNode Separated(TagJson format)
    {
        var tags = format.Objects("tags");
        if (tags.Count == 0) throw format.Bad("tags", "at least one is expected");
        var tag = new Choice([.. tags.Select(one => Tag(one, skipped: 0))]);
        var separator = Nodes.Text(format.Text("separator"));
        GrammarNode all = format.Flag("stop_after_first")
            ? tag
            : new Sequence([tag, new Repeat(new Sequence([separator, tag]), 0, null)]);
        return format.Flag("at_least_one") ? all : Nodes.Optional(all);
    }

    private GrammarNode Schema(TagJson format, string style, string key = "json_schema")
    {
        var schema = format.Value(key);
        return style == "json"
            ? Merge(JsonSchemaReader.Read(schema.GetRawText(), options))
            : XmlParameters.Read(schema, style, text => Merge(JsonSchemaReader.Read(text, options)), format);
    }

    private GrammarNode Merge(GrammarRules grammar)
    {
        var prefix = $"{rules.Count}.";
        var renamed = new RenamedRules(prefix);
        foreach (var (name, body) in grammar.Rules) rules.Add(prefix + name, renamed.Of(body));
        return renamed.Of(grammar.Root);
    }
}
