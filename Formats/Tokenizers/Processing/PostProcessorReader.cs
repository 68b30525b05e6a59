using System.Text.Json;

namespace Quilt.Formats.Tokenizers.Processing;

/// <summary>
/// Reads "post_processor" into plans. The library runs the processors on lists of encodings; here they run once on lists of parts, which
/// stand for what any encodings would become.
/// </summary>
internal static class PostProcessorReader
{
    private const string Part = "post_processor";

    public static SequencePlans Read(JsonElement? component, string source) => new((pair, special) =>
    {
        var texts = new List<List<PlanPart>> { new() { new(0, [], 0) } };
        if (pair) texts.Add([new(1, [], 1)]);
        if (component is { } json) texts = Process(json, texts, special, source);
        return new SequencePlan([.. texts.SelectMany(parts => parts)]);
    });

    private static List<List<PlanPart>> Process(JsonElement json, List<List<PlanPart>> texts, bool special, string source)
    {
        switch (json.Type(source, Part))
        {
            // It moves offsets only.
            case "ByteLevel": return texts;
            case "TemplateProcessing": return Template(json, texts, special, source);
            case "BertProcessing":
                var (cls, sep) = (Token(json, "cls", source), Token(json, "sep", source));
                return special ? [.. texts.Select((parts, i) => Around(i == 0 ? [cls] : [], parts, [sep], i == 0 ? 0 : 1))] : texts;
            case "RobertaProcessing":
                (cls, sep) = (Token(json, "cls", source), Token(json, "sep", source));
                texts = [.. texts.Select(parts => parts.ConvertAll(part => part with { TypeId = 0 }))];
                return special ? [.. texts.Select((parts, i) => Around([i == 0 ? cls : sep], parts, [sep], 0))] : texts;
            case "Sequence":
                foreach (var item in json.Items("processors", source, Part)) texts = Process(item, texts, special, source);
                return texts;
            case var type: throw new BadInputException(source, Part, $"{type} is not supported");
        }
    }

    private static List<PlanPart> Around(int[] before, List<PlanPart> parts, int[] after, int type)
    {
        List<PlanPart> around = [];
        if (before.Length > 0) around.Add(new(PlanPart.Fixed, before, type));
        return [.. around, .. parts, new(PlanPart.Fixed, after, type)];
    }

    private static List<List<PlanPart>> Template(JsonElement json, List<List<PlanPart>> texts, bool special, string source)
    {
        if (texts.Count > 2) throw new BadInputException(source, Part, "TemplateProcessing behind another TemplateProcessing is not supported");
        var result = new List<List<PlanPart>>();
        foreach (var piece in json.Items(texts.Count == 2 ? "pair" : "single", source, Part))
        {
            if (piece.Find("Sequence") is { } sequence)
            {
                var index = sequence.Text("id", source, Part) switch
                {
                    "A" => 0,
                    "B" => 1,
                    var other => throw new BadInputException(source, Part, $"TemplateProcessing has no text {other}"),
                };
                if (index >= texts.Count) throw new BadInputException(source, Part, "TemplateProcessing puts the text B into \"single\"");
                var type = TypeId(sequence, source);
                result.Add(texts[index].ConvertAll(part => part with { TypeId = type }));
            }
            else
            {
                var token = piece.Need("SpecialToken", JsonValueKind.Object, source, Part);
                var ids = json.Need("special_tokens", JsonValueKind.Object, source, Part)
                    .Need(token.Text("id", source, Part), JsonValueKind.Object, source, Part)
                    .Items("ids", source, Part).Select(id => id.Id(source, Part)).ToArray();
                if (special) result.Add([new(PlanPart.Fixed, ids, TypeId(token, source))]);
            }
        }
        return result;
    }

    private static int TypeId(JsonElement piece, string source) => piece.Count("type_id", 0, 0, source, Part);

    // ["</s>", 502]
    private static int Token(JsonElement json, string name, string source)
    {
        var pair = json.Items(name, source, Part).ToList();
        return pair.Count == 2 ? pair[1].Id(source, Part) : throw new BadInputException(source, Part, $"\"{name}\" is not a token and its id");
    }
}
