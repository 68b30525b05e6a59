using System.Text.Json;

namespace Quilt.Tests.Runtime;

/// <summary>Recorded cases that say by their kind what they are about, whatever their file is called.</summary>
internal static class Cases
{
    /// <summary>All cases of a kind; one null where there are none, so that the fixture shows up as skipped.</summary>
    public static IEnumerable<TestCaseData> OfKind(string kind)
    {
        var found = false;
        foreach (var file in Shared.Files("cases", "*.json"))
        {
            if (file is null) break;
            using var document = JsonDocument.Parse(File.ReadAllText(file));
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("cases", out var cases)
                || cases.ValueKind != JsonValueKind.Array) continue;
            foreach (var c in cases.EnumerateArray())
            {
                if (c.ValueKind != JsonValueKind.Object || !c.TryGetProperty("kind", out var its) || its.ValueKind != JsonValueKind.String
                    || its.GetString() != kind) continue;
                found = true;
                yield return new TestCaseData((JsonElement?)c.Clone()).SetArgDisplayNames(c.GetProperty("name").GetString()!);
            }
        }
        if (!found) yield return new TestCaseData((JsonElement?)null).SetArgDisplayNames("none");
    }

    /// <summary>The case; the test is skipped where there are none.</summary>
    public static JsonElement Given(JsonElement? test)
    {
        if (test is null) Assert.Ignore("No conformance data.");
        return test!.Value;
    }

    /// <summary>A list of whole numbers.</summary>
    public static int[] Integers(JsonElement list) => [.. list.EnumerateArray().Select(x => x.GetInt32())];
}
