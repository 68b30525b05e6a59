using System.Text;
using System.Text.Json;
using Quilt.Formats.Tokenizers.Patterns;
using Quilt.Formats.Tokenizers.Splitting;

namespace Quilt.Formats.Tokenizers;

/// <summary>How a text is cut into words: the splitters in order, and whether a space is put before pieces that have reached one of them.</summary>
internal sealed record Cutting(IReadOnlyList<Splitter> Splitters, int BeforePrefix, bool PrefixSpace);

/// <summary>Reads "pre_tokenizer". It ends in ByteLevel: without that, words would not be bytes.</summary>
internal static class PreTokenizerReader
{
    private const string Part = "pre_tokenizer";

    /// <summary>GPT-2's pattern, which ByteLevel uses where "use_regex" is true.</summary>
    private const string ByteLevelPattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    public static Cutting Read(JsonElement? component, string source)
    {
        if (component is not { } json) throw new BadInputException(source, Part, "null is not supported: only byte-level tokenizers are, with ByteLevel at the end");
        var steps = new List<JsonElement>();
        Flatten(json, source, steps);
        var splitters = new List<Splitter>();
        for (var i = 0; i < steps.Count; i++)
        {
            var step = steps[i];
            switch (step.Type(source, Part))
            {
                case "Split":
                    splitters.Add(Split(step, source));
                    break;
                case "ByteLevel" when i == steps.Count - 1:
                    var before = splitters.Count;
                    if (step.Flag("use_regex", true, source, Part)) splitters.Add(new PatternSplitter(new Pattern(ByteLevelPattern), SplitBehavior.Isolated, false));
                    return new Cutting(splitters, before, step.Flag("add_prefix_space", true, source, Part));
                case "ByteLevel": throw new BadInputException(source, Part, "ByteLevel is not supported before other steps");
                case var type: throw new BadInputException(source, Part, $"{type} is not supported");
            }
        }
        throw new BadInputException(source, Part, "it does not end in ByteLevel: only byte-level tokenizers are supported");
    }

    private static void Flatten(JsonElement json, string source, List<JsonElement> steps)
    {
        if (json.Type(source, Part) != "Sequence") { steps.Add(json); return; }
        foreach (var item in json.Items("pretokenizers", source, Part)) Flatten(item, source, steps);
    }

    private static Splitter Split(JsonElement json, string source)
    {
        var behavior = json.Text("behavior", source, Part) switch
        {
            "Removed" => SplitBehavior.Removed,
            "Isolated" => SplitBehavior.Isolated,
            "MergedWithPrevious" => SplitBehavior.MergedWithPrevious,
            "MergedWithNext" => SplitBehavior.MergedWithNext,
            "Contiguous" => SplitBehavior.Contiguous,
            var other => throw new BadInputException(source, Part, $"the behavior {other} is not supported"),
        };
        var invert = json.Flag("invert", false, source, Part);
        var pattern = json.Need("pattern", JsonValueKind.Object, source, Part);
        if (pattern.Find("String") is not null) return new LiteralSplitter(Encoding.UTF8.GetBytes(pattern.Text("String", source, Part)), behavior, invert);
        return new PatternSplitter(Compile(pattern.Text("Regex", source, Part), source), behavior, invert);
    }

    private static Pattern Compile(string text, string source)
    {
        try
        {
            return new Pattern(text);
        }
        catch (FormatException problem)
        {
            throw new BadInputException(source, Part, $"the pattern {text} cannot be used: {problem.Message}", problem);
        }
    }
}
