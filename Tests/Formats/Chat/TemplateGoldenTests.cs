using System.Diagnostics;
using System.Text.Json;
using Quilt.Formats;
using Quilt.Formats.Chat;
using Quilt.Formats.Chat.Jinja;

namespace Quilt.Tests.Formats.Chat;

/// <summary>Templates rendered by Python's Jinja in transformers' set-up, for every template and case at hand.</summary>
[Category("Conformance")]
public sealed class TemplateGoldenTests
{
    public static IEnumerable<TestCaseData> Micro() =>
        Cases("chat_templates", "*.json", root => root.TryGetProperty("cases", out var c) && c.GetArrayLength() > 0
            && c[0].TryGetProperty("group", out _));

    public static IEnumerable<TestCaseData> Hostile() =>
        Cases("cases", "*.json", root => root.TryGetProperty("cases", out var c) && c.GetArrayLength() > 0 && c[0].TryGetProperty("want", out _)
            && c[0].TryGetProperty("template", out _));

    public static IEnumerable<string?> Goldens() => Shared.Files("chat_templates/golden", "*.golden.json");

    [TestCaseSource(nameof(Micro))]
    public void Micro_case(string name, JsonElement? test)
    {
        var c = Given(test);
        string Render() => Template.Parse(c.GetProperty("template").GetString()!, "test").Render(Variables(c.GetProperty("vars")));
        if (c.TryGetProperty("expected", out var expected)) Assert.That(Render(), Is.EqualTo(expected.GetString()));
        else SameError(Assert.Throws<JinjaException>(() => Render())!, c.GetProperty("expected_error").GetString()!);
    }

    [TestCaseSource(nameof(Goldens))]
    public void Renders_conversations_as_the_reference_does(string? file)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Shared.Require(file)));
        var root = document.RootElement;
        var name = root.GetProperty("template").GetString()!;
        var template = ChatTemplate.Parse(File.ReadAllText(Shared.Path("chat_templates", "templates", name)), name);
        Assert.Multiple(() =>
        {
            foreach (var c in root.GetProperty("cases").EnumerateArray())
            {
                var conversation = ToConversation(c);
                foreach (var special in root.GetProperty("specials").EnumerateObject()) conversation.SetVariable(special.Name, special.Value);
                if (c.TryGetProperty("extra", out var extra) && extra.ValueKind == JsonValueKind.Object)
                    foreach (var variable in extra.EnumerateObject()) conversation.SetVariable(variable.Name, variable.Value);
                string? text = null;
                JinjaException? refused = null;
                try
                {
                    text = template.Render(conversation, new FrozenTime());
                }
                catch (JinjaException problem)
                {
                    refused = problem;
                }
                if (c.TryGetProperty("expected_error", out var error))
                {
                    Assert.That(refused, Is.Not.Null, $"{c.GetProperty("name")}: expected {error}, rendered {text}");
                    if (refused is not null) SameError(refused, error.GetString()!);
                }
                else Assert.That(text, Is.EqualTo(c.GetProperty("expected").GetString()), $"{c.GetProperty("name")}: {refused?.Message}");
            }
        });
    }

    [TestCaseSource(nameof(Hostile))]
    public void A_hostile_template_is_harmless(string name, JsonElement? test)
    {
        var c = Given(test);
        var variables = Variables(c.GetProperty("vars")).ToList();
        var given = variables.Select(p => Python.Repr(p.Value)).ToList();
        Try(out _, out _);                                   // compiles the code; the second time is measured
        var watch = Stopwatch.StartNew();
        var before = GC.GetTotalAllocatedBytes(precise: true);
        Try(out var text, out var error);
        Assert.That(watch.Elapsed.TotalSeconds, Is.LessThan(1));
        Assert.That(GC.GetTotalAllocatedBytes(precise: true) - before, Is.LessThan(256L << 20));
        Assert.That(variables.Select(p => Python.Repr(p.Value)), Is.EqualTo(given), "The variables changed.");

        var reference = c.GetProperty("jinja2");
        switch (c.GetProperty("want").GetString())
        {
            case "error":
                Assert.That(error, Is.Not.Null, $"rendered {text}");
                if (reference.TryGetProperty("line", out var line) && line.ValueKind == JsonValueKind.Number)
                    Assert.That(error!.Line, Is.EqualTo(line.GetInt32()));
                var shown = c.GetProperty("template").GetString()!.Split('\n')[error!.Line - 1].Trim();
                Assert.That(error.Message, Does.Contain($"line {error.Line}").And.Contain(shown.Length > 100 ? shown[..100] : shown));
                break;
            case "limited":
                if (error is not null) Assert.That(error.Message, Does.Contain($"line {error.Line}"));
                else if (reference.TryGetProperty("text", out var expected)) Assert.That(text, Is.EqualTo(expected.GetString()));
                else if (reference.TryGetProperty("text_length", out var length))
                    Assert.That(PythonText.Length(text!), Is.EqualTo(length.GetInt32()));
                else Assert.Fail($"The reference gave no text, here it was {text}");
                break;
            case "error_or_harmless":
                foreach (var host in (string[])["System.", "Quilt.", "Dictionary", "0x", "/usr", "/etc", "root:"])
                    Assert.That(text ?? error!.Problem, Does.Not.Contain(host));
                break;
            default:
                Assert.Fail($"{c.GetProperty("want")} is not known.");
                break;
        }

        void Try(out string? rendered, out JinjaException? problem)
        {
            (rendered, problem) = (null, null);
            try
            {
                rendered = Template.Parse(c.GetProperty("template").GetString()!, "test").Render(variables);
            }
            catch (JinjaException refused)
            {
                problem = refused;
            }
        }
    }

    private static void SameError(JinjaException actual, string expected)
    {
        var words = expected.Contains(": ", StringComparison.Ordinal) && expected.IndexOf(':') < 20
            ? expected[(expected.IndexOf(':') + 2)..]
            : expected;
        Assert.That(actual.Message, Does.Contain(words.ReplaceLineEndings(" ")).Or.Contain(expected.ReplaceLineEndings(" ")));
    }

    private static Conversation ToConversation(JsonElement c)
    {
        var keys = c.EnumerateObject().Where(p => p.Name is "messages" or "tools" or "add_generation_prompt")
            .Select(p => $"{JsonSerializer.Serialize(p.Name)}: {p.Value.GetRawText()}");
        return Conversation.Read(System.Text.Encoding.UTF8.GetBytes($"{{{string.Join(", ", keys)}}}"), "case");
    }

    private static IEnumerable<KeyValuePair<string, object?>> Variables(JsonElement vars) =>
        vars.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, Template.FromJson(p.Value)));

    private static JsonElement Given(JsonElement? test)
    {
        if (test is null) Assert.Ignore("No conformance data.");
        return test!.Value;
    }

    private static IEnumerable<TestCaseData> Cases(string folder, string pattern, Func<JsonElement, bool> isOfThisKind)
    {
        var any = false;
        foreach (var file in Shared.Files(folder, pattern))
        {
            if (file is null) break;
            using var document = JsonDocument.Parse(File.ReadAllText(file));
            if (document.RootElement.ValueKind != JsonValueKind.Object || !isOfThisKind(document.RootElement)) continue;
            foreach (var c in document.RootElement.GetProperty("cases").EnumerateArray())
            {
                any = true;
                var name = c.GetProperty("name").GetString()!;
                yield return new TestCaseData(name, (JsonElement?)c.Clone())
                    .SetArgDisplayNames(c.TryGetProperty("group", out var group) ? $"{group.GetString()}: {name}" : name);
            }
        }
        if (!any) yield return new TestCaseData("none", null).SetArgDisplayNames("none");
    }

    private sealed class FrozenTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 1, 15, 12, 34, 56, TimeSpan.Zero);

        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;
    }
}
