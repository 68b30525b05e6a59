using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Quilt.Hosting;
using Quilt.Runtime;

namespace Quilt.Tests.Hosting.Anthropic;

/// <summary>Answers of /v1/messages, whole and in events.</summary>
public sealed class MessagesTests
{
    private const string Tools = WeatherReply.AnthropicTools;
    private const string Call = WeatherReply.Call;
    private const string Calling = "I look.</think>\n\nOne moment. " + Call;

    [Test]
    public async Task Has_thinking_text_and_calls_as_blocks()
    {
        await using var host = await HttpHost.StartAsync(new Script(Calling));
        var answer = await host.AnswerAsync("/v1/messages", Asked($"\"tools\": {Tools}"));
        var usage = answer.GetProperty("usage");
        var (input, output) = (usage.GetProperty("input_tokens").GetInt32(), usage.GetProperty("output_tokens").GetInt32());
        Assert.That(input, Is.GreaterThan(10));
        Assert.That(output, Is.GreaterThan(10));
        var thinking = usage.GetProperty("output_tokens_details").GetProperty("thinking_tokens").GetInt32();
        Assert.That(thinking, Is.InRange(1, output - 1));
        var signature = answer.GetProperty("content")[0].GetProperty("signature").GetString();
        Assert.That(signature, Is.Not.Empty);
        var expected = $$$"""
            {"type": "message", "role": "assistant", "model": "demo", "content": [
              {"type": "thinking", "thinking": "I look.", "signature": "{{{signature}}}"},
              {"type": "text", "text": "One moment. ", "citations": null},
              {"type": "tool_use", "name": "get_weather", "input": {"city": "Seoul"}}],
             "stop_reason": "tool_use", "stop_sequence": null, "container": null, "stop_details": null,
             "usage": {"input_tokens": {{{input}}}, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": {{{output}}},
                       "output_tokens_details": {"thinking_tokens": {{{thinking}}} } } }
            """;
        var found = StreamedMessage.WithoutIds(JsonNode.Parse(answer.GetRawText())!.AsObject());
        foreach (var text in found["content"]!.AsArray().OfType<JsonObject>().Where(block => block.ContainsKey("text")))
            text["text"] = "One moment. ";
        Assert.That(JsonNode.DeepEquals(found, JsonNode.Parse(expected)), Is.True, $"expected {expected}, found {found}");
    }

    [TestCase(Calling)]
    [TestCase("I look.</think>" + Call + "\n\n" + Call)]
    [TestCase("It is</think>A text, \"quoted\", and ü 🎉.")]
    [TestCase("Only thinking")]
    [TestCase("</think>Only text")]
    [TestCase("</think>")]
    public async Task Says_the_same_in_events(string reply)
    {
        foreach (var chunk in (int[])[1, 5, 1000])
        {
            await using var host = await HttpHost.StartAsync(new Script(new ScriptedReply(reply) { ChunkSize = chunk }));
            var whole = await host.AnswerAsync("/v1/messages", Asked($"\"tools\": {Tools}"));
            var events = await host.EventsAsync("/v1/messages", Asked($"\"stream\": true, \"tools\": {Tools}"));
            var expected = StreamedMessage.WithoutIds(JsonNode.Parse(whole.GetRawText())!.AsObject());
            var found = StreamedMessage.WithoutIds(StreamedMessage.Of(events));
            Assert.That(JsonNode.DeepEquals(found, expected), Is.True, $"expected {expected}, found {found}");
        }
    }

    [Test]
    public async Task Has_its_events_in_order()
    {
        await using var host = await HttpHost.StartAsync(new Script(Calling));
        var events = await host.EventsAsync("/v1/messages", Asked($"\"stream\": true, \"tools\": {Tools}"));
        var types = events.Types().ToList();
        Assert.That(types.Where((type, i) => i == 0 || type != types[i - 1]), Is.EqualTo([
            "message_start", "ping", "content_block_start", "content_block_delta", "content_block_stop", "content_block_start", "content_block_delta",
            "content_block_stop", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"]));
        var start = events[0].GetProperty("message");
        Assert.That(start.GetProperty("content").GetArrayLength(), Is.Zero);
        Assert.That(start.GetProperty("stop_reason").ValueKind, Is.EqualTo(JsonValueKind.Null));
        Assert.That(start.GetProperty("usage").GetProperty("input_tokens").GetInt32(), Is.GreaterThan(10));
    }

    [TestCase("a</think>One two three", "", "end_turn", null)]
    [TestCase("a</think>One two three", "\"stop_sequences\": [\"two\"]", "stop_sequence", "two")]
    [TestCase("a</think>One two three", "\"max_tokens\": 2", "max_tokens", null)]
    [TestCase(Calling, $"\"tools\": {Tools}", "tool_use", null)]
    public async Task Says_why_it_ended(string reply, string fields, string reason, string? stop)
    {
        await using var host = await HttpHost.StartAsync(new Script(reply));
        foreach (var answer in new[]
        {
            JsonNode.Parse((await host.AnswerAsync("/v1/messages", Asked(fields))).GetRawText())!,
            StreamedMessage.Of(await host.EventsAsync("/v1/messages", Asked(Joined(fields, "\"stream\": true")))),
        })
        {
            Assert.That((string?)answer["stop_reason"], Is.EqualTo(reason));
            Assert.That((string?)answer["stop_sequence"], Is.EqualTo(stop));
        }
    }

    [Test]
    public async Task Counts_cached_tokens_apart_where_the_server_tells()
    {
        var script = new Script(new ScriptedReply("a</think>b") { CachedTokens = 7 });
        await using var silent = await HttpHost.StartAsync(script);
        await using var telling = await HttpHost.StartAsync(script, options => options.PromptTokensDetails = true);
        var all = (await silent.AnswerAsync("/v1/messages", Asked())).GetProperty("usage");
        var apart = (await telling.AnswerAsync("/v1/messages", Asked())).GetProperty("usage");
        Assert.That(all.GetProperty("cache_read_input_tokens").GetInt32(), Is.Zero);
        Assert.That(apart.GetProperty("cache_read_input_tokens").GetInt32(), Is.EqualTo(7));
        Assert.That(apart.GetProperty("input_tokens").GetInt32() + 7, Is.EqualTo(all.GetProperty("input_tokens").GetInt32()));
    }

    [Test]
    public async Task Takes_the_first_call_alone_where_asked()
    {
        await using var host = await HttpHost.StartAsync(new Script("a</think>" + Call + Call));
        var fields = $$"""
            "tools": {{Tools}}, "tool_choice": {"type": "auto", "disable_parallel_tool_use": true}
            """;
        var answer = await host.AnswerAsync("/v1/messages", Asked(fields));
        Assert.That(answer.GetProperty("content").EnumerateArray().Count(block => block.GetProperty("type").GetString() == "tool_use"),
            Is.EqualTo(1));
        var streamed = StreamedMessage.Of(await host.EventsAsync("/v1/messages", Asked(Joined(fields, "\"stream\": true"))));
        Assert.That(streamed["content"]!.AsArray(), Has.Count.EqualTo(2));
    }

    [Test]
    public async Task Fails_in_Anthropics_form()
    {
        await using var host = await HttpHost.StartAsync(new Script(new ScriptedReply("a</think>One two three") { FailAfter = 4 }));
        var (status, body) = await host.TryAsync("/v1/messages", Asked());
        Assert.That(status, Is.EqualTo(500));
        Assert.That(body.GetProperty("type").GetString(), Is.EqualTo("error"));
        Assert.That(body.GetProperty("error").GetProperty("type").GetString(), Is.EqualTo("api_error"));
        var events = await host.EventsAsync("/v1/messages", Asked("\"stream\": true"));
        Assert.That(events.Types()[^1], Is.EqualTo("error"));
        Assert.That(events[^1].GetProperty("error").GetProperty("type").GetString(), Is.EqualTo("api_error"));
        Assert.That(events[^1].GetProperty("error").GetProperty("message").GetString(), Is.EqualTo("The request failed while it was answered."));
    }

    [Test]
    public async Task Has_no_message_where_its_time_was_up()
    {
        await using var host = await HttpHost.StartAsync(new Script(new ScriptedReply("a</think>One") { Reason = FinishReason.Timeout }));
        var (status, body) = await host.TryAsync("/v1/messages", Asked());
        Assert.That((status, body.GetProperty("error").GetProperty("type").GetString()), Is.EqualTo((529, "overloaded_error")));
        var events = await host.EventsAsync("/v1/messages", Asked("\"stream\": true"));
        Assert.That(events.Types()[^1], Is.EqualTo("error"));
    }

    [Test]
    public async Task Says_that_it_is_busy_in_Anthropics_form()
    {
        await using var host = await HttpHost.StartAsync(new Script("a"));
        host.Services.GetRequiredService<QuiltServer>().Stop();
        var (status, body) = await host.TryAsync("/v1/messages", Asked());
        Assert.That(status, Is.EqualTo(529));
        Assert.That(body.GetProperty("error").GetProperty("type").GetString(), Is.EqualTo("overloaded_error"));
    }

    /// <summary>A request with more fields, which replace the usual ones.</summary>
    internal static string Asked(string fields = "")
    {
        const string Usual = """{"model": "demo", "max_tokens": 64, "messages": [{"role": "user", "content": "Add 34 and 9."}]}""";
        var request = JsonNode.Parse(Usual)!.AsObject();
        foreach (var (name, value) in JsonNode.Parse($"{{{fields}}}")!.AsObject()) request[name] = value?.DeepClone();
        return request.ToJsonString();
    }

    private static string Joined(string fields, string more) => fields.Length == 0 ? more : $"{fields}, {more}";
}
