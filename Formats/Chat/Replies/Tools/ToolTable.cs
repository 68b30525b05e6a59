using System.Text.Json;

namespace Quilt.Formats.Chat.Replies;

/// <summary>The declared tools: which of them a call means, and what each of their parameters may be.</summary>
internal sealed class ToolTable
{
    private readonly OrderedDictionary<string, DeclaredTool> tools = new(StringComparer.Ordinal);
    private readonly NearNames names;

    /// <summary>
    /// Reads <c>{"type": "function", "function": {"name", "parameters"}}</c> and <c>{"name", "parameters"}</c>; what has no name declares nothing.
    /// </summary>
    /// <exception cref="BadInputException">It is not a list, or holds text that is not Unicode.</exception>
    public ToolTable(JsonElement? declared)
    {
        Read(declared);
        names = new NearNames(tools.Values);
    }

    /// <summary>Whether nothing is declared, so that every name is good.</summary>
    public bool IsEmpty => tools.Count == 0;

    /// <summary>The tool that a name means: the one of that name, or the only one whose name is near it.</summary>
    public NameMatch Find(string name)
    {
        if (IsEmpty) return new(null, name.Length == 0 ? NameFit.SaysNothing : NameFit.NotNear);
        return tools.TryGetValue(name, out var tool) ? new(tool, NameFit.Found) : names.Find(name);
    }

    /// <summary>The tool that a call means whose name says nothing: the only one, or the only one that fits its arguments.</summary>
    /// <param name="arguments">Their names.</param>
    /// <param name="isComplete">Whether no more arguments can follow.</param>
    public NameMatch FindByArguments(IReadOnlyCollection<string> arguments, bool isComplete)
    {
        if (tools.Count == 1) return new(tools.GetAt(0).Value, NameFit.Found);
        var fitting = tools.Values.Where(tool => arguments.All(tool.Parameters.ContainsKey) && (!isComplete || tool.Required.All(arguments.Contains)))
            .Take(2).ToArray();
        // Where none knows them all, one that knows some of them, and alone does, is meant.
        if (fitting.Length == 0) fitting = [.. tools.Values.Where(tool => arguments.Any(tool.Parameters.ContainsKey)).Take(2)];
        return fitting.Length == 1 ? new(fitting[0], NameFit.Found) : new(null, fitting.Length == 0 ? NameFit.SaysNothing : NameFit.Several);
    }

    /// <summary>What a parameter may be; null where no schema speaks of it.</summary>
    public ValueTypes? TypesOf(string tool, string parameter) =>
        tools.TryGetValue(tool, out var declared) && declared.Parameters.TryGetValue(parameter, out var types) ? types : null;

    private void Read(JsonElement? declared)
    {
        if (declared is not { ValueKind: not (JsonValueKind.Null or JsonValueKind.Undefined) } list) return;
        if (list.ValueKind != JsonValueKind.Array) throw new BadInputException("tools", null, $"expected a list, found {list.ValueKind}");
        try
        {
            foreach (var tool in list.EnumerateArray())
            {
                if (tool.ValueKind != JsonValueKind.Object) continue;
                var function = tool.TryGetProperty("function", out var inner) && inner.ValueKind == JsonValueKind.Object ? inner : tool;
                if (!function.TryGetProperty("name", out var named) || named.ValueKind != JsonValueKind.String) continue;
                var name = named.GetString()!;
                if (!tools.ContainsKey(name)) tools.Add(name, new SchemaReader(tool, function).Read(name));
            }
        }
        catch (InvalidOperationException e)
        {
            throw new BadInputException("tools", null, "holds text that is not Unicode", e);
        }
    }
}
