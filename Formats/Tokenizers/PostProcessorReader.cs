using System.Text.Json;

namespace Quilt.Formats.Tokenizers;

/// <summary>Reads "post_processor": which ids go before and after a single text.</summary>
internal static class PostProcessorReader
{
    private const string Part = "post_processor";

    public static (int[] Before, int[] After) Read(JsonElement? component, string source)
    {
        if (component is not { } json) return ([], []);
        switch (json.Type(source, Part))
        {
            // It moves offsets only.
            case "ByteLevel": return ([], []);
            case "TemplateProcessing": return Template(json, source);
            case "BertProcessing" or "RobertaProcessing": return (Pair(json, "cls", source), Pair(json, "sep", source));
            case "Sequence":
                int[] before = [], after = [];
                foreach (var item in json.Items("processors", source, Part))
                {
                    var (left, right) = Read(item, source);
                    (before, after) = ([.. left, .. before], [.. after, .. right]);
                }
                return (before, after);
            case var type: throw new BadInputException(source, Part, $"{type} is not supported");
        }
    }

    private static (int[] Before, int[] After) Template(JsonElement json, string source)
    {
        List<int> before = [], after = [];
        var seen = false;
        foreach (var piece in json.Items("single", source, Part))
        {
            if (piece.Find("Sequence") is { } sequence)
            {
                if (seen || sequence.Text("id", source, Part) != "A") throw new BadInputException(source, Part, "a template that is not one text A is not supported");
                seen = true;
                continue;
            }
            var name = piece.Need("SpecialToken", JsonValueKind.Object, source, Part).Text("id", source, Part);
            var token = json.Need("special_tokens", JsonValueKind.Object, source, Part).Need(name, JsonValueKind.Object, source, Part);
            (seen ? after : before).AddRange(token.Items("ids", source, Part).Select(id => id.Id(source, Part)));
        }
        return seen ? ([.. before], [.. after]) : throw new BadInputException(source, Part, "a template without the text A is not supported");
    }

    // ["</s>", 502]
    private static int[] Pair(JsonElement json, string name, string source)
    {
        var pair = json.Items(name, source, Part).ToList();
        return pair.Count == 2 ? [pair[1].Id(source, Part)] : throw new BadInputException(source, Part, $"\"{name}\" is not a token and its id");
    }
}
