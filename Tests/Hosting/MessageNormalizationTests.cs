using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;
using Quilt.Formats.Chat;
using Quilt.Hosting.Chat;

namespace Quilt.Tests.Hosting;

/// <summary>A message, said in Microsoft.Extensions.AI's words, reaches the template as vLLM would give it the same message.</summary>
[Category("Conformance")]
public sealed class MessageNormalizationTests
{
    public static IEnumerable<TestCaseData> Cases()
    {
        foreach (var file in Shared.Files("cases", "message_normalization*.json"))
        {
            if (file is null)
            {
                yield return new TestCaseData(null, default(JsonElement)).SetArgDisplayNames("none");
                continue;
            }
            using var document = JsonDocument.Parse(File.ReadAllText(file));
            foreach (var test in document.RootElement.GetProperty("cases").EnumerateArray())
                yield return new TestCaseData(file, test.Clone()).SetArgDisplayNames(test.GetProperty("name").GetString()!);
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void Reaches_the_template_as_it_should(string? file, JsonElement test)
    {
        Shared.Require(file);
        var conversation = new Conversation();
        ChatMessages.Append([MessageOf(test.GetProperty("input"))], null, conversation);
        Assert.That(conversation.Messages, Has.Count.EqualTo(1));
        Assert.That(JsonNode.DeepEquals(Node(conversation.Messages[0]), Node(test.GetProperty("expected_string_format"))), Is.True,
            $"expected {test.GetProperty("expected_string_format")}, found {conversation.Messages[0]}");
    }

    private static ChatMessage MessageOf(JsonElement input)
    {
        var message = new ChatMessage(new ChatRole(input.GetProperty("role").GetString()!), new List<AIContent>());
        if (input.TryGetProperty("name", out var name)) message.AuthorName = name.GetString();
        var isNew = input.TryGetProperty("reasoning", out var reasoning);
        if (isNew || input.TryGetProperty("reasoning_content", out reasoning))
            message.Contents.Add(new TextReasoningContent(reasoning.GetString()));
        var texts = new List<AIContent>();
        if (input.TryGetProperty("content", out var content))
        {
            if (content.ValueKind == JsonValueKind.String) texts.Add(new TextContent(content.GetString()));
            else if (content.ValueKind == JsonValueKind.Array)
                texts.AddRange(content.EnumerateArray().Select(part => new TextContent(part.GetProperty("text").GetString())));
        }
        if (input.TryGetProperty("tool_call_id", out var id))
        {
            message.Contents.Add(new FunctionResultContent(id.GetString()!, texts));
            return message;
        }
        foreach (var text in texts) message.Contents.Add(text);
        if (!input.TryGetProperty("tool_calls", out var calls)) return message;
        foreach (var call in calls.EnumerateArray())
        {
            var function = call.GetProperty("function");
            message.Contents.Add(new FunctionCallContent(call.GetProperty("id").GetString()!, function.GetProperty("name").GetString()!,
                Arguments(function.GetProperty("arguments"))));
        }
        return message;
    }

    // Text that is no JSON has no arguments: that is how every chat client reads it.
    private static Dictionary<string, object?>? Arguments(JsonElement given)
    {
        if (given.ValueKind == JsonValueKind.Object) return given.EnumerateObject().ToDictionary(one => one.Name, one => (object?)one.Value.Clone());
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, object?>>(given.GetString() ?? "null");
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static JsonNode? Node(JsonElement value) => JsonNode.Parse(value.GetRawText());
}
