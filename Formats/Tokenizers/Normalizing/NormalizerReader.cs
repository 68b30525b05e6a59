using System.Text;
using System.Text.Json;
using Quilt.Formats.Tokenizers.Patterns;
using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Formats.Tokenizers.Normalizing;

/// <summary>Reads "normalizer".</summary>
internal static class NormalizerReader
{
    private const string Part = "normalizer";

    public static NormalizerChain Read(JsonElement? component, string source)
    {
        var steps = new List<Normalizer>();
        if (component is { } json) Add(json, source, steps);
        return new NormalizerChain(steps);
    }

    private static void Add(JsonElement json, string source, List<Normalizer> steps)
    {
        switch (json.Type(source, Part))
        {
            case "NFC": steps.Add(new FormNormalizer(NormalForm.Composed)); break;
            case "NFD": steps.Add(new FormNormalizer(NormalForm.Decomposed)); break;
            case "NFKC": steps.Add(new FormNormalizer(NormalForm.CompatibilityComposed)); break;
            case "NFKD": steps.Add(new FormNormalizer(NormalForm.CompatibilityDecomposed)); break;
            case "Lowercase": steps.Add(new LowercaseNormalizer()); break;
            case "Strip":
                steps.Add(new StripNormalizer(json.Flag("strip_left", true, source, Part), json.Flag("strip_right", true, source, Part)));
                break;
            case "StripAccents": steps.Add(new FilterNormalizer(OlderClasses.Marks, CodePointSet.Empty)); break;
            case "Nmt": steps.Add(new FilterNormalizer(NmtRemoved, NmtBlanked)); break;
            case "Prepend": steps.Add(new PrependNormalizer(Encoding.UTF8.GetBytes(json.Text("prepend", source, Part)))); break;
            case "Replace": steps.Add(Replace(json, source)); break;
            case "ByteLevel": steps.Add(new ByteAlphabetNormalizer()); break;
            case "BertNormalizer": Bert(json, source, steps); break;
            case "Precompiled": steps.Add(Precompiled(json, source)); break;
            case "Sequence":
                foreach (var item in json.Items("normalizers", source, Part)) Add(item, source, steps);
                break;
            case var type: throw new BadInputException(source, Part, $"{type} is not supported");
        }
    }

    // Controls go; what separates words in some scripts, and what cannot be seen, becomes a blank.
    private static CodePointSet NmtRemoved => CodePointSet.Of((0x01, 0x08), (0x0B, 0x0B), (0x0E, 0x1F), (0x7F, 0x7F), (0x8F, 0x8F), (0x9F, 0x9F));

    private static CodePointSet NmtBlanked => CodePointSet.Of(
        (0x09, 0x0A), (0x0C, 0x0D), (0x1680, 0x1680), (0x200B, 0x200F), (0x2028, 0x2029), (0x2581, 0x2581), (0xFEFF, 0xFEFF), (0xFFFD, 0xFFFD));

    private static void Bert(JsonElement json, string source, List<Normalizer> steps)
    {
        var lowercase = json.Flag("lowercase", true, source, Part);
        if (json.Flag("clean_text", true, source, Part))
        {
            var kept = CodePointSet.Of((0x09, 0x0A), (0x0D, 0x0D));
            var removed = OlderClasses.Controls.Union(CodePointSet.Of((0, 0), (0xFFFD, 0xFFFD))).Intersect(kept.Complement());
            steps.Add(new FilterNormalizer(removed, UnicodeClasses.Space));
        }
        if (json.Flag("handle_chinese_chars", true, source, Part)) steps.Add(new ChineseNormalizer());
        if (json.Flag("strip_accents", lowercase, source, Part))
        {
            steps.Add(new FormNormalizer(NormalForm.Decomposed));
            steps.Add(new FilterNormalizer(OlderClasses.NonspacingMarks, CodePointSet.Empty));
        }
        if (lowercase) steps.Add(new LowercaseNormalizer());
    }

    private static Normalizer Replace(JsonElement json, string source)
    {
        var content = Encoding.UTF8.GetBytes(json.Text("content", source, Part));
        return PatternReader.Read(json, source, Part, out var literal) is { } pattern
            ? new PatternReplacer(pattern, content)
            : new LiteralReplacer(literal, content);
    }

    private static PrecompiledNormalizer Precompiled(JsonElement json, string source)
    {
        try
        {
            return new PrecompiledNormalizer(Convert.FromBase64String(json.Text("precompiled_charsmap", source, Part)));
        }
        catch (FormatException problem)
        {
            throw new BadInputException(source, Part, $"precompiled_charsmap cannot be read: {problem.Message}", problem);
        }
    }
}
