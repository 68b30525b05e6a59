using System.Text.Json;
using Quilt.Formats.Chat.Jinja;

namespace Quilt.Tests.Formats.Chat;

/// <summary>Our own cases in the form of the micro cases: what Python's Jinja makes of every filter, test, method, operator and statement.</summary>
public sealed class OwnTemplateCaseTests
{
    public static IEnumerable<string> Files() =>
        Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Golden", "jinja"), "*.json").Order(StringComparer.Ordinal);

    [TestCaseSource(nameof(Files))]
    public void Renders_as_Jinja_does(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(file));
        Assert.Multiple(() =>
        {
            foreach (var c in document.RootElement.GetProperty("cases").EnumerateArray())
            {
                var template = c.GetProperty("template").GetString()!;
                var (text, error) = Render(template, c.GetProperty("vars"));
                if (c.TryGetProperty("expected", out var expected))
                    Assert.That(text, Is.EqualTo(expected.GetString()), $"{template}: {error?.Message}");
                else
                {
                    // "TypeError: its words"
                    var words = c.GetProperty("expected_error").GetString()!;
                    Assert.That(error?.Problem
                        ?? "", Does.Contain(words[(words.IndexOf(": ", StringComparison.Ordinal) + 2)..]), $"{template}: {text}");
                }
            }
        });
    }

    private static (string? Text, JinjaException? Error) Render(string template, JsonElement variables)
    {
        try
        {
            return (Template.Parse(template,
                "test").Render(variables.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, Template.FromJson(p.Value)))), null);
        }
        catch (JinjaException error)
        {
            return (null, error);
        }
    }
}
