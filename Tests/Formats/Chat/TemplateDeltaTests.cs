using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Formats.Chat;

namespace Quilt.Tests.Formats.Chat;

/// <summary>What an assistant's message adds to the prompt, by every template of the dialect.</summary>
[Category("Conformance")]
public sealed class TemplateDeltaTests
{
    public static IEnumerable<TestCaseData> Cases()
    {
        var any = false;
        foreach (var file in Shared.Files("cases", "*.json"))
        {
            if (file is null) break;
            using var document = JsonDocument.Parse(File.ReadAllText(file));
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("cases", out var cases)) continue;
            foreach (var c in cases.EnumerateArray())
            {
                if (c.ValueKind != JsonValueKind.Object || !c.TryGetProperty("expected_delta", out _)) continue;
                foreach (var template in Shared.Files("chat_templates/templates", "*.jinja"))
                {
                    if (template is null || !File.ReadAllText(template).Contains("<minimax:tool_call>", StringComparison.Ordinal)) continue;
                    any = true;
                    yield return new TestCaseData(template, (JsonElement?)c.Clone())
                        .SetArgDisplayNames(Path.GetFileName(template), c.GetProperty("name").GetString()!);
                }
            }
        }
        if (!any) yield return new TestCaseData(null, null).SetArgDisplayNames("none");
    }

    [TestCaseSource(nameof(Cases))]
    public void An_assistant_s_message_adds_what_the_reference_adds(string? file, JsonElement? test)
    {
        var template = ChatTemplate.Parse(File.ReadAllText(Shared.Require(file)), "template");
        var c = test!.Value;
        var message = new JsonObject
        { ["role"] = "assistant", ["content"] = c.TryGetProperty("content", out var content) ? content.GetString() : "" };
        if (c.TryGetProperty("tool_calls", out var calls))
        {
            message["tool_calls"] = new JsonArray([.. calls.EnumerateArray().Select(call =>
                (JsonNode)new JsonObject { ["type"] = "function", ["function"] = JsonNode.Parse(call.GetRawText()) })]);
        }

        var before = new Conversation { AddGenerationPrompt = false }.Add("user", "Hello");
        var prompt = template.Render(before);
        var delta = template.Render(new Conversation { AddGenerationPrompt = false }.Add("user", "Hello").Add(message));
        Assert.That(delta, Does.StartWith(prompt));
        delta = delta[prompt.Length..];
        var end = c.GetProperty("end_token").GetString()!;
        Assert.That(delta.TrimEnd(), Does.EndWith(end));
        Assert.That(Bare(delta), Does.EndWith(Bare(c.GetProperty("expected_delta").GetString()! + end)));
    }

    private static string Bare(string text) => string.Concat(text.Where(ch => !char.IsWhiteSpace(ch)));
}
