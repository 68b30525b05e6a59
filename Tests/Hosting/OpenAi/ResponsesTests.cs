using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Runtime;

namespace Quilt.Tests.Hosting.OpenAi;

/// <summary>Answers of /v1/responses, whole and in events.</summary>
public sealed class ResponsesTests
{
    private const string Tools = WeatherReply.FlatTools;
    private const string Call = WeatherReply.Call;
    private const string Calling = "I look.</think>\n\nOne moment." + Call;

    [Test]
    public async Task Has_thinking_text_and_calls_as_items()
    {
        await using var host = await HttpHost.StartAsync(new Script(Calling));
        const string Fields = $$"""
            "tools": {{Tools}}, "instructions": "Be brief.", "metadata": {"a": "b"}, "user": "u", "max_output_tokens": 90
            """;
        var answer = JsonNode.Parse((await host.AnswerAsync("/v1/responses", Asked(Fields))).GetRawText())!.AsObject();
        var usage = answer["usage"]!.AsObject();
        Assert.That((int)usage["total_tokens"]!, Is.EqualTo((int)usage["input_tokens"]! + (int)usage["output_tokens"]!));
        Assert.That((int)usage["output_tokens_details"]!["reasoning_tokens"]!, Is.InRange(1, (int)usage["output_tokens"]! - 1));
        Assert.That((int)usage["input_tokens_details"]!["cached_tokens"]!, Is.Zero);
        Assert.That((long)answer["created_at"]!, Is.GreaterThan(1_700_000_000));
        Assert.That((long)answer["completed_at"]!, Is.GreaterThanOrEqualTo((long)answer["created_at"]!));
        foreach (var name in (string[])["usage", "created_at", "completed_at", "temperature", "top_p"]) answer.Remove(name);
        var expected = $$"""
            {"object": "response", "status": "completed", "background": false, "error": null, "incomplete_details": null,
             "instructions": "Be brief.", "max_output_tokens": 90, "max_tool_calls": null, "model": "demo", "output": [
               {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "I look."}], "encrypted_content": null,
                "status": "completed", "summary": []},
               {"type": "message", "status": "completed", "content": [{"type": "output_text", "text": "One moment.", "logprobs": [],
                "annotations": []}], "role": "assistant"},
               {"type": "function_call", "name": "get_weather", "arguments": "{\"city\": \"Seoul\"}", "status": "completed"}],
             "parallel_tool_calls": true, "previous_response_id": null, "reasoning": {"effort": null, "summary": null},
              "service_tier": "default", "store": true,
             "text": {"format": {"type": "text"} }, "tool_choice": "auto", "tools": {{Tools}}, "top_logprobs": 0, "truncation": "disabled",
             "user": "u", "metadata": {"a": "b"} }
            """;
        StreamedResponse.RemoveIds(answer);
        answer["output"]![1]!["content"]![0]!["text"] = ((string)answer["output"]![1]!["content"]![0]!["text"]!).Trim();
        Assert.That(JsonNode.DeepEquals(answer, JsonNode.Parse(expected)), Is.True, $"expected {expected}, found {answer}");
    }

    [TestCase(Calling)]
    [TestCase("I look.</think>" + Call + Call)]
    [TestCase("It is</think>A text, \"quoted\", and ü 🎉.")]
    [TestCase("Only thinking")]
    [TestCase("</think>")]
    public async Task Says_the_same_in_events(string reply)
    {
        foreach (var chunk in (int[])[1, 5, 1000])
        {
            await using var host = await HttpHost.StartAsync(new Script(new ScriptedReply(reply) { ChunkSize = chunk }));
            var fields = $"\"tools\": {Tools}, \"include\": [\"reasoning.encrypted_content\", \"message.output_text.logprobs\"], \"top_logprobs\": 2";
            var whole = JsonNode.Parse((await host.AnswerAsync("/v1/responses", Asked(fields))).GetRawText())!.AsObject();
            var (built, last) = StreamedResponse.Of(await host.EventsAsync("/v1/responses", Asked(fields + ", \"stream\": true")));
            Assert.That(JsonNode.DeepEquals(built, last["output"]), Is.True, $"built {built}, said {last["output"]}");
            foreach (var one in new[] { whole, last })
            {
                StreamedResponse.RemoveIds(one);
                one.Remove("created_at");
                one.Remove("completed_at");
            }
            Assert.That(JsonNode.DeepEquals(last, whole), Is.True, $"expected {whole}, found {last}");
        }
    }

    [Test]
    public async Task Has_its_events_in_order_and_numbered()
    {
        await using var host = await HttpHost.StartAsync(new Script(Calling));
        var events = await host.EventsAsync("/v1/responses", Asked($"\"tools\": {Tools}, \"stream\": true"));
        Assert.That(events.Select(one => one.GetProperty("sequence_number").GetInt32()), Is.EqualTo(Enumerable.Range(0, events.Count)));
        var types = events.Types().Select(type => type["response.".Length..]).ToList();
        Assert.That(types.Where((type, i) => i == 0 || type != types[i - 1]), Is.EqualTo([
            "created", "in_progress",
            "output_item.added", "content_part.added", "reasoning_text.delta", "reasoning_text.done", "content_part.done", "output_item.done",
            "output_item.added", "content_part.added", "output_text.delta", "output_text.done", "content_part.done", "output_item.done",
            "output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done", "completed"]));
        Assert.That(events[0].GetProperty("response").GetProperty("status").GetString(), Is.EqualTo("in_progress"));
        Assert.That(events[0].GetProperty("response").GetProperty("id").GetString(),
            Is.EqualTo(events[^1].GetProperty("response").GetProperty("id").GetString()));
    }

    [Test]
    public async Task Is_incomplete_where_it_was_too_long()
    {
        await using var host = await HttpHost.StartAsync(new Script("a</think>One two three four"));
        var answer = await host.AnswerAsync("/v1/responses", Asked("\"max_output_tokens\": 4"));
        Assert.That(answer.GetProperty("status").GetString(), Is.EqualTo("incomplete"));
        Assert.That(answer.GetProperty("incomplete_details").GetProperty("reason").GetString(), Is.EqualTo("max_output_tokens"));
        Assert.That(answer.GetProperty("output").EnumerateArray().Last().GetProperty("status").GetString(), Is.EqualTo("incomplete"));
        var events = await host.EventsAsync("/v1/responses", Asked("\"max_output_tokens\": 4, \"stream\": true"));
        Assert.That(events.Types()[^1], Is.EqualTo("response.incomplete"));
    }

    [Test]
    public async Task Says_that_it_failed_and_is_then_no_base_for_another()
    {
        await using var host = await HttpHost.StartAsync(new Script(new ScriptedReply("a</think>One two three") { FailAfter = 4 }, "b</think>c"));
        var events = await host.EventsAsync("/v1/responses", Asked("\"stream\": true"));
        Assert.That(events.Types()[^1], Is.EqualTo("response.failed"));
        var response = events[^1].GetProperty("response");
        Assert.That(response.GetProperty("status").GetString(), Is.EqualTo("failed"));
        Assert.That(response.GetProperty("error").GetRawText(),
            Is.EqualTo("""{"code":"server_error","message":"The request failed while it was answered."}"""));
        var (status, _) = await host.TryAsync("/v1/responses", Asked($"\"previous_response_id\": \"{response.GetProperty("id").GetString()}\""));
        Assert.That(status, Is.EqualTo(404));
    }

    [Test]
    public async Task Failed_where_its_time_was_up()
    {
        await using var host = await HttpHost.StartAsync(new Script(new ScriptedReply("a</think>One") { Reason = FinishReason.Timeout }));
        Assert.That((await host.TryAsync("/v1/responses", Asked())).Status, Is.EqualTo(503));
        var events = await host.EventsAsync("/v1/responses", Asked("\"stream\": true"));
        Assert.That(events.Types()[^1], Is.EqualTo("response.failed"));
    }

    [Test]
    public async Task Has_log_probabilities_of_its_text_where_asked()
    {
        await using var host = await HttpHost.StartAsync(new Script("I think.</think>One two"));
        var answer = await host.AnswerAsync("/v1/responses", Asked("\"top_logprobs\": 3, \"include\": [\"message.output_text.logprobs\"]"));
        var text = answer.GetProperty("output")[1].GetProperty("content")[0];
        var logprobs = text.GetProperty("logprobs").EnumerateArray().ToList();
        Assert.That(string.Concat(logprobs.Select(one => one.GetProperty("token").GetString())), Is.EqualTo("One two"));
        Assert.That(logprobs.Select(one => one.GetProperty("top_logprobs").GetArrayLength()), Is.All.EqualTo(3));
    }

    [TestCase("\"input\": null", 400, "input")]
    [TestCase("\"input\": [{\"type\": \"item_reference\", \"id\": \"x\"}]", 400, "item_reference")]
    [TestCase("\"input\": [{\"role\": \"user\", \"content\": [{\"type\": \"input_image\", \"image_url\": \"x\"}]}]", 400, "input_image")]
    [TestCase("\"input\": [{\"role\": \"user\", \"content\": [{\"type\": \"input_file\", \"file_id\": \"x\"}]}]", 400, "input_file")]
    [TestCase("\"input\": [{\"type\": \"function_call_output\", \"output\": \"x\"}]", 400, "call_id")]
    [TestCase("\"input\": [{\"role\": \"critic\", \"content\": \"x\"}]", 400, "role")]
    [TestCase("\"background\": true", 400, "background")]
    [TestCase("\"conversation\": \"c\"", 400, "conversation")]
    [TestCase("\"tools\": [{\"type\": \"web_search\"}]", 400, "web_search")]
    [TestCase("\"tool_choice\": \"required\"", 400, "tools")]
    [TestCase("\"tool_choice\": {\"type\": \"custom\", \"name\": \"x\"}", 400, "custom")]
    [TestCase("\"max_output_tokens\": 0", 400, "max_output_tokens")]
    [TestCase("\"truncation\": \"some\"", 400, "truncation")]
    [TestCase("\"metadata\": {\"a\": 1}", 400, "metadata")]
    [TestCase("\"temperature\": -1", 400, "temperature")]
    [TestCase("\"reasoning\": {\"effort\": \"huge\"}", 400, "effort")]
    [TestCase("\"text\": {\"format\": {\"type\": \"json_schema\"}}", 400, "schema")]
    [TestCase("\"previous_response_id\": \"resp_x\"", 404, "resp_x")]
    [TestCase("\"model\": \"other\"", 404, "other")]
    public async Task Refuses_by_name(string fields, int expected, string named)
    {
        await using var host = await HttpHost.StartAsync(new Script("a</think>b"));
        var (status, body) = await host.TryAsync("/v1/responses", Asked(fields));
        Assert.That(status, Is.EqualTo(expected), body.GetRawText());
        Assert.That(body.GetProperty("error").GetProperty("message").GetString(), Does.Contain(named));
    }

    /// <summary>A request with more fields, which replace the usual ones.</summary>
    internal static string Asked(string fields = "")
    {
        var request = JsonNode.Parse("""{"model": "demo", "input": "Add 34 and 9."}""")!.AsObject();
        foreach (var (name, value) in JsonNode.Parse($"{{{fields}}}")!.AsObject()) request[name] = value?.DeepClone();
        return request.ToJsonString();
    }
}
