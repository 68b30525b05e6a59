using System.Text.Json;

namespace Quilt.Tests;

/// <summary>Cases of <c>cases/*.json</c>, each file a list of cases that say by their kind what they are about.</summary>
internal static class Cases
{
    /// <summary>All cases of a kind in all files, by name; one null where there are none, so that the fixture shows up as skipped.</summary>
    public static IEnumerable<TestCaseData> Of(string kind)
    {
        var any = false;
        foreach (var path in Shared.Files("cases", "*.json"))
        {
            if (path is null) continue;
            var document = JsonDocument.Parse(File.ReadAllBytes(path)).RootElement;
            if (document.ValueKind != JsonValueKind.Object || !document.TryGetProperty("cases", out var cases)) continue;
            foreach (var test in cases.EnumerateArray())
            {
                if (!test.TryGetProperty("kind", out var own) || own.GetString() != kind) continue;
                any = true;
                yield return new TestCaseData(test).SetArgDisplayNames(test.GetProperty("name").GetString()!);
            }
        }
        if (!any) yield return new TestCaseData([null]).SetArgDisplayNames(kind);
    }

    /// <summary>Skips the test where there is no case.</summary>
    public static JsonElement Require(JsonElement? test)
    {
        if (test is null) Shared.Require(null);
        return test!.Value;
    }
}
