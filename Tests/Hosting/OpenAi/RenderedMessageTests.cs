using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Hosting;
using Quilt.Tests.Formats.Chat.Replies;

namespace Quilt.Tests.Hosting.OpenAi;

/// <summary>Messages of requests reach the template as vLLM gives them to it, with content as text and as parts.</summary>
[Category("Conformance")]
public sealed class RenderedMessageTests
{
    private const string Shows = "{{ messages | tojson }}";
    private HttpHost texts = null!;
    private HttpHost parts = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        texts = await HttpHost.StartAsync(configure: options => (options.TrustRequestChatTemplate, options.ContentParts) = (true, false));
        parts = await HttpHost.StartAsync(configure: options => (options.TrustRequestChatTemplate, options.ContentParts) = (true, true));
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await texts.DisposeAsync();
        await parts.DisposeAsync();
    }

    public static IEnumerable<TestCaseData> Cases() =>
        ReplyCases.Of(Shared.Files("cases", "message_normalization*.json"), ["message_normalization"]);

    [TestCaseSource(nameof(Cases))]
    public async Task Reaches_the_template_as_it_should(JsonElement? test)
    {
        var c = ReplyCases.Given(test);
        using var all = Assert.EnterMultipleScope();
        if (c.TryGetProperty("expected_string_format", out var asText)) await CheckAsync(texts, c.GetProperty("input"), asText);
        if (c.TryGetProperty("expected_openai_format", out var asParts)) await CheckAsync(parts, c.GetProperty("input"), asParts);
    }

    private static async Task CheckAsync(HttpHost host, JsonElement input, JsonElement expected)
    {
        var request = new JsonObject { ["messages"] = new JsonArray(JsonNode.Parse(input.GetRawText())), ["chat_template"] = Shows };
        var answer = await host.AnswerAsync("/v1/chat/completions/render", request.ToJsonString());
        var found = JsonNode.Parse(answer.GetProperty("prompt").GetString()!)![0];
        Assert.That(JsonNode.DeepEquals(found, JsonNode.Parse(expected.GetRawText())), Is.True, $"expected {expected}, found {found}");
    }
}
