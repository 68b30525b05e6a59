using System.Text.Json;

namespace Quilt.Formats.Grammars.Json;

/// <summary>A JSON schema's text, its schemas by where they stand, and what their references mean.</summary>
internal sealed class SchemaDocument
{
    private const int MaxDepth = 256;
    private const int MaxSchemas = 200_000;

    private readonly List<SchemaNode> schemas = [];
    private readonly Dictionary<string, SchemaNode> byPointer = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, JsonElement>> membersByPointer = new(StringComparer.Ordinal);
    private readonly JsonElement root;
    private Dictionary<string, string>? pointersByAnchor;

    /// <exception cref="BadInputException">The text is no JSON, too deep, or has a name twice in an object.</exception>
    public SchemaDocument(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = false });
            root = document.RootElement.Clone();
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new BadInputException(JsonSchemaReader.Origin, null, $"expected JSON, nested {MaxDepth} deep at most: {e.Message}", e);
        }
        Root = At("#", root);
        using var never = JsonDocument.Parse("false");
        Never = At("no value", never.RootElement.Clone());
    }

    public SchemaNode Root { get; }

    /// <summary>For what the schema writes down and holds to patterns.</summary>
    public MatchBudget Budget { get; } = new();

    /// <summary>A schema that no value meets.</summary>
    public SchemaNode Never { get; }

    public SchemaNode this[int number] => schemas[number];

    /// <summary>The schema that stands under a keyword, and under further names.</summary>
    public SchemaNode Child(SchemaNode parent, JsonElement element, string keyword, string? name = null) =>
        At(name is null ? $"{parent.Pointer}/{keyword}" : $"{parent.Pointer}/{keyword}/{Escape(name)}", element);

    /// <summary>What a <c>$ref</c> means.</summary>
    public SchemaNode Resolve(SchemaNode from, string reference)
    {
        if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("$id", out var id) && id.ValueKind == JsonValueKind.String
            && id.GetString() is { Length: > 0 } self && reference.StartsWith(self, StringComparison.Ordinal))
        {
            reference = reference.Length == self.Length ? "#" : reference[self.Length..];
        }
        if (reference == "#") return Root;
        if (reference.StartsWith("#/", StringComparison.Ordinal)) return Walk(from, reference);
        if (reference.StartsWith('#') && Anchors().TryGetValue(reference[1..], out var pointer)) return Walk(from, pointer);
        throw from.Refusal("$ref", $"expected a schema of this document, found {Cut(reference)}");
    }

    private SchemaNode Walk(SchemaNode from, string reference)
    {
        if (byPointer.TryGetValue(reference, out var known)) return known;
        var (element, at) = (root, "#");
        foreach (var part in Uri.UnescapeDataString(reference[2..]).Split('/'))
        {
            var name = part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (element.ValueKind == JsonValueKind.Object && Members(at, element).TryGetValue(name, out var member)) element = member;
            else if (element.ValueKind == JsonValueKind.Array && int.TryParse(name, out var index) && index >= 0 && index < element.GetArrayLength())
                element = element[index];
            else throw from.Refusal("$ref", $"expected a schema of this document, found {Cut(reference)}");
            at = $"{at}/{Escape(name)}";
            RefuseOwnBase(at, element);
        }
        return At(at, element);
    }

    private SchemaNode At(string pointer, JsonElement element)
    {
        if (byPointer.TryGetValue(pointer, out var known)) return known;
        if (element.ValueKind is not (JsonValueKind.Object or JsonValueKind.True or JsonValueKind.False))
        {
            throw new BadInputException(JsonSchemaReader.Origin, pointer,
                $"expected a schema, an object, true or false, found {SchemaNode.Show(element)}");
        }
        if (schemas.Count == MaxSchemas) throw new BadInputException(JsonSchemaReader.Origin, pointer, $"expected at most {MaxSchemas} schemas");
        if (pointer != "#") RefuseOwnBase(pointer, element);
        var schema = new SchemaNode(schemas.Count, pointer, element);
        schemas.Add(schema);
        byPointer.Add(pointer, schema);
        return schema;
    }

    // References inside would mean something else.
    private static void RefuseOwnBase(string pointer, JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Object && element.TryGetProperty("$id", out var id) && id.ValueKind == JsonValueKind.String)
            throw new BadInputException(JsonSchemaReader.Origin, $"{pointer}/$id", "expected none but at the root");
    }

    private Dictionary<string, JsonElement> Members(string pointer, JsonElement element)
    {
        if (membersByPointer.TryGetValue(pointer, out var known)) return known;
        var members = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var property in element.EnumerateObject()) members[property.Name] = property.Value;
        membersByPointer.Add(pointer, members);
        return members;
    }

    // $anchor, wherever it stands; one that stands in an example can only be found where no schema has it.
    private Dictionary<string, string> Anchors()
    {
        if (pointersByAnchor is not null) return pointersByAnchor;
        pointersByAnchor = new(StringComparer.Ordinal);
        var open = new Stack<(string Pointer, JsonElement Element)>([("#", root)]);
        while (open.TryPop(out var next))
        {
            if (next.Element.ValueKind == JsonValueKind.Array)
            {
                var index = 0;
                foreach (var item in next.Element.EnumerateArray()) open.Push(($"{next.Pointer}/{index++}", item));
            }
            if (next.Element.ValueKind != JsonValueKind.Object) continue;
            foreach (var property in next.Element.EnumerateObject())
            {
                if (property.NameEquals("$anchor") && property.Value.ValueKind == JsonValueKind.String)
                    pointersByAnchor.TryAdd(property.Value.GetString()!, next.Pointer);
                if (!property.NameEquals("enum") && !property.NameEquals("const"))
                    open.Push(($"{next.Pointer}/{Escape(property.Name)}", property.Value));
            }
        }
        return pointersByAnchor;
    }

    private static string Escape(string name) => name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    private static string Cut(string text) => text.Length <= 60 ? $"\"{text}\"" : $"\"{text[..60]}…\"";
}
