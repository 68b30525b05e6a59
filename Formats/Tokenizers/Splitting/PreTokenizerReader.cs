using System.Text;
using System.Text.Json;
using Quilt.Formats.Tokenizers.Patterns;
using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Formats.Tokenizers.Splitting;

/// <summary>Reads "pre_tokenizer" into steps.</summary>
internal static class PreTokenizerReader
{
    private const string Part = "pre_tokenizer";

    /// <summary>GPT-2's pattern, which ByteLevel uses where "use_regex" is true.</summary>
    private static readonly Lazy<Pattern> ByteLevelPattern =
        new(() => new Pattern(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"));

    /// <summary>\w+|[^\w\s]+ as Rust's regex crate has it, whose word characters are not Oniguruma's.</summary>
    private static readonly Lazy<Pattern> WordsOrSymbols = new(() => new Pattern(new AlternationNode(
        [Many(UnicodeClasses.RustWord), Many(UnicodeClasses.RustWord.Union(UnicodeClasses.Space).Complement())])));

    /// <summary>The steps, in order; none where nothing cuts the text. Words come out in UTF-8, ByteLevel's in the byte alphabet.</summary>
    public static List<PreTokenizerStep> Read(JsonElement? component, string source)
    {
        var steps = new List<PreTokenizerStep>();
        if (component is { } json) Add(json, source, steps);
        return steps;
    }

    private static void Add(JsonElement json, string source, List<PreTokenizerStep> steps)
    {
        switch (json.Type(source, Part))
        {
            case "Sequence":
                foreach (var item in json.Items("pretokenizers", source, Part)) Add(item, source, steps);
                break;
            case "ByteLevel":
                if (json.Flag("add_prefix_space", true, source, Part)) steps.Add(new PrefixSpaceRewriter());
                if (json.Flag("use_regex", true, source, Part)) steps.Add(new PatternSplitter(ByteLevelPattern.Value, SplitBehavior.Isolated, false));
                steps.Add(new ByteAlphabetRewriter());
                break;
            case "Metaspace":
                Metaspace(json, source, steps);
                break;
            case "BertPreTokenizer":
                steps.Add(new SetSplitter(UnicodeClasses.Space, SplitBehavior.Removed));
                steps.Add(new SetSplitter(OlderClasses.Punctuation, SplitBehavior.Isolated));
                break;
            case "Split":
                steps.Add(Split(json, source));
                break;
            case "Whitespace":
                steps.Add(new PatternSplitter(WordsOrSymbols.Value, SplitBehavior.Removed, invert: true));
                break;
            case "WhitespaceSplit":
                steps.Add(new SetSplitter(UnicodeClasses.Space, SplitBehavior.Removed));
                break;
            case "Punctuation":
                steps.Add(new SetSplitter(OlderClasses.Punctuation, json.Find("behavior") is null ? SplitBehavior.Isolated : Behavior(json, source)));
                break;
            case "Digits":
                var each = json.Flag("individual_digits", false, source, Part);
                steps.Add(new SetSplitter(OlderClasses.Numeric, each ? SplitBehavior.Isolated : SplitBehavior.Contiguous));
                break;
            case "CharDelimiterSplit":
                steps.Add(new SetSplitter(CodePointSet.Of(json.Rune("delimiter", source, Part).Value), SplitBehavior.Removed));
                break;
            case "UnicodeScripts":
                steps.Add(new ScriptSplitter());
                break;
            case "FixedLength":
                steps.Add(new LengthSplitter(json.Count("length", 5, 1, source, Part)));
                break;
            case var type: throw new BadInputException(source, Part, $"{type} is not supported");
        }
    }

    private static void Metaspace(JsonElement json, string source, List<PreTokenizerStep> steps)
    {
        var mark = Encoding.UTF8.GetBytes(json.Rune("replacement", source, Part).ToString());
        steps.Add(new MetaspaceRewriter(mark, Scheme(json, source, Part)));
        if (json.Flag("split", true, source, Part)) steps.Add(new LiteralSplitter(mark, SplitBehavior.MergedWithNext, invert: false));
    }

    /// <summary>Metaspace's "prepend_scheme", of which older files have only "add_prefix_space". A decoder has it too.</summary>
    public static PrependScheme Scheme(JsonElement json, string source, string part)
    {
        var scheme = json.Find("prepend_scheme") is null ? "always" : json.Text("prepend_scheme", source, part);
        if (!json.Flag("add_prefix_space", true, source, part))
        {
            if (json.Find("prepend_scheme") is not null && scheme != "never")
                throw new BadInputException(source, part, $"add_prefix_space is false, and prepend_scheme is {scheme}");
            return PrependScheme.Never;
        }
        return scheme switch
        {
            "always" => PrependScheme.Always,
            "first" => PrependScheme.First,
            "never" => PrependScheme.Never,
            _ => throw new BadInputException(source, part, $"the prepend_scheme {scheme} is not supported"),
        };
    }

    private static RepeatNode Many(CodePointSet set) => new(new SetNode(set), 1, RepeatNode.Unbounded, Greed.Greedy);

    private static Splitter Split(JsonElement json, string source)
    {
        var behavior = Behavior(json, source);
        var invert = json.Flag("invert", false, source, Part);
        return PatternReader.Read(json, source, Part, out var literal) is { } pattern
            ? new PatternSplitter(pattern, behavior, invert)
            : new LiteralSplitter(literal, behavior, invert);
    }

    private static SplitBehavior Behavior(JsonElement json, string source) => json.Text("behavior", source, Part) switch
    {
        "Removed" => SplitBehavior.Removed,
        "Isolated" => SplitBehavior.Isolated,
        "MergedWithPrevious" => SplitBehavior.MergedWithPrevious,
        "MergedWithNext" => SplitBehavior.MergedWithNext,
        "Contiguous" => SplitBehavior.Contiguous,
        var other => throw new BadInputException(source, Part, $"the behavior {other} is not supported"),
    };
}
