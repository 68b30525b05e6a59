using System.Text.Json;

namespace Quilt.Tests.Cluster.Routing;

/// <summary>Recorded cases of routers: all cases of every file that has one whose kind says so.</summary>
internal static class RouterCases
{
    /// <summary>All of them, whatever their kind: one that nobody knows must fail; one null where there are none.</summary>
    public static IEnumerable<TestCaseData> All()
    {
        var found = false;
        foreach (var file in Shared.Files("cases", "*.json"))
        {
            if (file is null) break;
            using var document = JsonDocument.Parse(File.ReadAllText(file));
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("cases", out var cases)
                || cases.ValueKind != JsonValueKind.Array || !cases.EnumerateArray().Any(IsOfRouters)) continue;
            foreach (var c in cases.EnumerateArray())
            {
                found = true;
                yield return new TestCaseData((JsonElement?)c.Clone()).SetArgDisplayNames(c.GetProperty("name").GetString()!);
            }
        }
        if (!found) yield return new TestCaseData((JsonElement?)null).SetArgDisplayNames("none");
    }

    /// <summary>The texts of a list.</summary>
    public static string[] Texts(this JsonElement c, string name) =>
        c.TryGetProperty(name, out var list) ? [.. list.EnumerateArray().Select(item => item.GetString()!)] : [];

    /// <summary>Pairs of texts.</summary>
    public static (string Text, string Who)[] Pairs(this JsonElement c, string name) =>
        c.TryGetProperty(name, out var list) ? [.. list.EnumerateArray().Select(pair => (pair[0].GetString()!, pair[1].GetString()!))] : [];

    private static bool IsOfRouters(JsonElement c) => c.ValueKind == JsonValueKind.Object && c.TryGetProperty("kind", out var kind)
        && kind.ValueKind == JsonValueKind.String && kind.GetString()!.StartsWith("router_", StringComparison.Ordinal);
}
