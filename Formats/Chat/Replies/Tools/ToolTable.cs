using System.Text.Json;

namespace Quilt.Formats.Chat.Replies;

/// <summary>The declared tools, by name: what each of their parameters may be.</summary>
internal sealed class ToolTable
{
    private readonly Dictionary<string, Dictionary<string, ValueTypes>> tools = new(StringComparer.Ordinal);

    /// <summary>
    /// Reads <c>{"type": "function", "function": {"name", "parameters"}}</c> and <c>{"name", "parameters"}</c>; what has no name declares nothing.
    /// </summary>
    /// <exception cref="BadInputException">It is not a list, or holds text that is not Unicode.</exception>
    public ToolTable(JsonElement? declared)
    {
        if (declared is not { ValueKind: not (JsonValueKind.Null or JsonValueKind.Undefined) } list) return;
        if (list.ValueKind != JsonValueKind.Array) throw new BadInputException("tools", null, $"expected a list, found {list.ValueKind}");
        try
        {
            foreach (var tool in list.EnumerateArray())
            {
                var function = Member(tool, "function", JsonValueKind.Object) ?? tool;
                if (Member(function, "name", JsonValueKind.String) is { } name) tools.TryAdd(name.GetString()!, Parameters(function));
            }
        }
        catch (InvalidOperationException e)
        {
            throw new BadInputException("tools", null, "holds text that is not Unicode", e);
        }
    }

    /// <summary>Whether a call to this tool may be passed on: it is declared, or nothing is.</summary>
    public bool Allows(string tool) => tools.Count == 0 || tools.ContainsKey(tool);

    /// <summary>What a parameter may be; null where no schema speaks of it.</summary>
    public ValueTypes? TypesOf(string tool, string parameter) =>
        tools.TryGetValue(tool, out var parameters) && parameters.TryGetValue(parameter, out var types) ? types : null;

    private static Dictionary<string, ValueTypes> Parameters(JsonElement function)
    {
        var found = new Dictionary<string, ValueTypes>(StringComparer.Ordinal);
        if (Member(function, "parameters", JsonValueKind.Object) is { } schema
            && Member(schema, "properties", JsonValueKind.Object) is { } properties)
        {
            foreach (var property in properties.EnumerateObject()) found[property.Name] = SchemaTypes.Of(property.Value);
        }
        return found;
    }

    private static JsonElement? Member(JsonElement of, string name, JsonValueKind kind) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var member) && member.ValueKind == kind ? member : null;
}
