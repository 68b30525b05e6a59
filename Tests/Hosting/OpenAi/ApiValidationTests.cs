using System.Net;
using System.Text;
using System.Text.Json;
using Quilt.Runtime;
using Quilt.Tests.Formats.Chat.Replies;

namespace Quilt.Tests.Hosting.OpenAi;

/// <summary>Requests, and what vLLM answers them with: status, kind, field and words of the error.</summary>
[Category("Conformance")]
public sealed class ApiValidationTests
{
    private HttpHost host = null!;
    private Engine engine = null!;

    // The cases are of MiniMax's own template, which refuses what the demo model's does not.
    [OneTimeSetUp]
    public async Task StartAsync()
    {
        var template = Shared.Files(Path.Combine("chat_templates", "templates"), "*.jinja").FirstOrDefault(file =>
            file is not null && File.ReadAllText(file).Contains("no previous assistant message with a tool call", StringComparison.Ordinal));
        engine = await Engine.OpenAsync(DemoHost.Folder, new() { Threads = 1, ChatTemplate = template });
        host = await HttpHost.StartAsync(name: "MiniMax-M2.5", engine: engine);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await host.DisposeAsync();
        engine.Dispose();
    }

    public static IEnumerable<TestCaseData> Cases() => ReplyCases.Of(Shared.Files("cases", "api_validation*.json"), ["api_validation"]);

    [TestCaseSource(nameof(Cases))]
    public async Task Answers_as_it_should(JsonElement? test)
    {
        var c = ReplyCases.Given(test);
        var body = Encoding.UTF8.GetBytes(Bounded(c.GetProperty("request")));
        using var content = new ByteArrayContent(body) { Headers = { ContentType = new("application/json") } };
        using var response = await host.Client.PostAsync(c.GetProperty("endpoint").GetString(), content);
        var text = await response.Content.ReadAsStringAsync();
        var expected = c.GetProperty("expected");
        Assert.That((int)response.StatusCode, Is.EqualTo(expected.GetProperty("status").GetInt32()), text);
        if (response.StatusCode == HttpStatusCode.OK) return;

        using var document = JsonDocument.Parse(text);
        var error = document.RootElement.GetProperty("error");
        Assert.That(error.EnumerateObject().Select(field => field.Name), Is.EquivalentTo(["message", "type", "param", "code"]));
        if (expected.TryGetProperty("message_contains", out var words))
            Assert.That(error.GetProperty("message").GetString(), Does.Contain(words.GetString()));
        if (!expected.TryGetProperty("error", out var wanted)) return;
        foreach (var field in wanted.EnumerateObject())
        {
            switch (field.Name)
            {
                case "type": Assert.That(Types(c, field.Value), Has.Member(error.GetProperty("type").GetString())); break;
                case "code": Assert.That(error.GetProperty("code").GetInt32(), Is.EqualTo(field.Value.GetInt32())); break;
                case "param": Assert.That(Params(c, field.Value), Has.Member(error.GetProperty("param").GetString())); break;
                default: Assert.Fail($"The case expects '{field.Name}', which this fixture does not know."); break;
            }
        }
    }

    // A case whose note names another kind means that one.
    private static IEnumerable<string> Types(JsonElement c, JsonElement type) =>
        c.TryGetProperty("notes", out var notes) && notes.GetString()!.Contains("NotFoundError", StringComparison.Ordinal)
            ? ["NotFoundError"]
            : type.GetString()!.Split('|');

    // OpenAI tells "model" where a model is unknown; vLLM tells null in some versions.
    private static IEnumerable<string?> Params(JsonElement c, JsonElement param) =>
        c.GetProperty("expected").GetProperty("status").GetInt32() == 404 ? [param.GetString(), "model"] : [param.GetString()];

    // A reply as short as can be where the case is answered, so that the model is not the test; and what stands for a long prompt is one.
    private string Bounded(JsonElement request)
    {
        var text = request.GetRawText().Replace("<more than max_model_len tokens>",
            string.Join(' ', Enumerable.Repeat("word", host.Engine.MaxTokens + 1)), StringComparison.Ordinal);
        return request.TryGetProperty("max_tokens", out _) || request.TryGetProperty("max_completion_tokens", out _)
            ? text
            : text.TrimEnd()[..^1] + ", \"max_completion_tokens\": 2}";
    }
}
