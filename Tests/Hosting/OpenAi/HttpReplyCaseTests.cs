using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Runtime;
using Quilt.Tests.Formats.Chat.Replies;

namespace Quilt.Tests.Hosting.OpenAi;

/// <summary>
/// Recorded replies of models, over HTTP, whole and in pieces. What a request cannot say (other policies of the parser, a reply that has no end) is
/// left to the parser's own fixture.
/// </summary>
[Category("Conformance")]
public sealed class HttpReplyCaseTests
{
    private readonly ConcurrentDictionary<string, Task<Engine>> engines = new(StringComparer.Ordinal);

    [OneTimeTearDown]
    public async Task CloseAsync()
    {
        foreach (var engine in engines.Values) (await engine).Dispose();
    }

    public static IEnumerable<TestCaseData> Cases() =>
        ReplyCases.Of([.. Shared.Files("cases", "*.json"), .. ReplyCases.Own()], ReplyCaseTests.ReadKinds).Where(CanBeAsked);

    [TestCaseSource(nameof(Cases))]
    public async Task Is_understood_as_recorded(JsonElement? test)
    {
        var json = ReplyCases.Given(test);
        var c = new ReplyCase(json);
        // Whether a reply begins inside thinking is told by the prompt's end, whatever the dialect.
        var begins = json.TryGetProperty("starts_thinking", out var starts) ? starts.GetBoolean()
            : !c.Kind.StartsWith("tool_parser", StringComparison.Ordinal) && c.Kind != "reply";
        var engine = await engines.GetOrAdd(c.Dialect, dialect => Engine.OpenAsync(DemoHost.Folder, new() { Threads = 1, ReplyDialect = dialect }));
        var prompt = begins ? "<think>" : "go";
        await using var host = await HttpHost.StartAsync(new Script(new ScriptedReply(c.Output)), options => options.TrustRequestChatTemplate = true,
            engine);
        var request = new JsonObject
        {
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "x" }),
            ["chat_template"] = prompt,
        };
        if (c.Dialect is not ("text" or "think")) request["tools"] = Tools(json, c);
        var whole = HttpReply.Whole(await host.AnswerAsync("/v1/chat/completions", request.ToJsonString()));
        request["stream"] = true;
        var pieces = HttpReply.Of(await host.StreamAsync("/v1/chat/completions", request.ToJsonString()));
        using var all = Assert.EnterMultipleScope();
        Check(c, whole);
        Check(c, pieces);
        // Thinking that is empty is an empty text in an answer that comes whole, and no piece of a stream.
        Assert.That(pieces.Reasoning ?? "", Is.EqualTo(whole.Reasoning ?? ""));
        Assert.That(whole.ReasoningContent, Is.EqualTo(whole.Reasoning));
        Assert.That(pieces.ReasoningContent, Is.EqualTo(pieces.Reasoning));
        Assert.That(pieces.FinishReason, Is.EqualTo(whole.FinishReason));
        Assert.That(whole.FinishReason, Is.EqualTo(whole.Calls.Count > 0 ? "tool_calls" : "stop"));
    }

    private static void Check(ReplyCase c, HttpReply reply)
    {
        foreach (var expected in c.Expected.EnumerateObject())
        {
            switch (expected.Name)
            {
                case "content": Assert.That(Compared(reply.Content), Is.EqualTo(Compared(expected.Value.GetString())), "content"); break;
                case "reasoning": Assert.That(Compared(reply.Reasoning), Is.EqualTo(Compared(expected.Value.GetString())), "reasoning"); break;
                case "tool_calls":
                    Assert.That(reply.Calls, Has.Count.EqualTo(expected.Value.GetArrayLength()), "tool_calls");
                    foreach (var (call, wanted) in reply.Calls.Zip(expected.Value.EnumerateArray()))
                    {
                        if (wanted.TryGetProperty("name", out var name)) Assert.That(call.Name, Is.EqualTo(name.GetString()));
                        if (wanted.TryGetProperty("arguments", out var arguments))
                        {
                            Assert.That(Compared(ReplyCaseTests.Canonical(call.Arguments)),
                                Is.EqualTo(Compared(ReplyCaseTests.Canonical(arguments.GetRawText()))));
                        }
                    }
                    break;
            }
        }

        string Compared(string? text) => c.IsRewrittenByAFork ? string.Concat((text ?? "").Where(ch => !char.IsWhiteSpace(ch)))
            : c.Trims ? (text ?? "").Trim() : text ?? "";
    }

    // Without tools nothing is looked for in a reply: a case that declares none gets those that it expects to be called, of any arguments.
    private static JsonArray Tools(JsonElement json, ReplyCase c)
    {
        if (json.TryGetProperty("tools", out var given) && given.GetArrayLength() > 0) return JsonNode.Parse(given.GetRawText())!.AsArray();
        var names = c.Expected.TryGetProperty("tool_calls", out var calls)
            ? calls.EnumerateArray().Select(call => call.TryGetProperty("name", out var name) ? name.GetString()! : "other").Distinct()
            : [];
        return [.. names.Append("other").Distinct().Select(name => (JsonNode)new JsonObject
        {
            ["type"] = "function",
            ["function"] = new JsonObject { ["name"] = name },
        })];
    }

    private static bool CanBeAsked(TestCaseData data)
    {
        if (data.Arguments[0] is not JsonElement json) return true;
        return !json.TryGetProperty("policy", out _) && !json.TryGetProperty("vocab", out _)
            && !(json.TryGetProperty("final", out var final) && !final.GetBoolean())
            && !(json.TryGetProperty("reasoning_format", out var format) && format.GetString() == "none")
            && !(json.TryGetProperty("chunks", out var chunks) && chunks.EnumerateArray().Any(chunk => chunk.ValueKind != JsonValueKind.String));
    }
}
