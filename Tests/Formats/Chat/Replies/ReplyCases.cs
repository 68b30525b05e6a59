using System.Text.Json;

namespace Quilt.Tests.Formats.Chat.Replies;

/// <summary>Where cases of replies are: in the conformance data, and our own.</summary>
internal static class ReplyCases
{
    public static JsonElement Given(JsonElement? test)
    {
        if (test is null) Assert.Ignore("No conformance data: set QUILT_SHARED or place `shared` beside the repository.");
        return test!.Value;
    }

    public static IEnumerable<string?> Own() =>
        Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Golden", "replies"), "*.json").Order(StringComparer.Ordinal);

    public static IEnumerable<TestCaseData> Of(IEnumerable<string?> files, string[] kinds) =>
        Of(files, test => test.TryGetProperty("kind", out var kind) && kinds.Contains(kind.GetString()));

    /// <summary>The cases of these files that are meant, found by what they are; one without a case where there are none.</summary>
    public static IEnumerable<TestCaseData> Of(IEnumerable<string?> files, Func<JsonElement, bool> isMeant)
    {
        var any = false;
        foreach (var file in files)
        {
            if (file is null) break;
            using var document = JsonDocument.Parse(File.ReadAllText(file));
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("cases", out var cases)) continue;
            foreach (var c in cases.EnumerateArray())
            {
                if (c.ValueKind != JsonValueKind.Object || !isMeant(c)) continue;
                any = true;
                yield return new TestCaseData((JsonElement?)c.Clone())
                    .SetArgDisplayNames(Path.GetFileNameWithoutExtension(file), c.GetProperty("name").GetString()!);
            }
        }
        if (!any) yield return new TestCaseData(null).SetArgDisplayNames("none");
    }
}
