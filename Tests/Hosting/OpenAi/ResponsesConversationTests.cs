using System.Net;
using System.Text.Json.Nodes;
using Quilt.Runtime;

namespace Quilt.Tests.Hosting.OpenAi;

/// <summary>Conversations that go on by previous_response_id, and the same by items that a client keeps.</summary>
public sealed class ResponsesConversationTests
{
    private const string Tools = """[{"type": "function", "name": "add", "parameters": {"type": "object"}}]""";
    private const string Call =
        "I add.</think>Wait.<minimax:tool_call>\n<invoke name=\"add\">\n<parameter name=\"a\">34</parameter>\n</invoke>\n</minimax:tool_call>";
    private const string Turn =
        "<think>\nI add.\n</think>\n\nWait.\n<minimax:tool_call>\n<invoke name=\"add\">\n<parameter name=\"a\">34</parameter>";

    [TestCase(false)]
    [TestCase(true)]
    public async Task Keeps_thinking_and_calls_for_the_next_turn(bool isStream)
    {
        var script = new Script(Call, "b</think>It is 43.", "c</think>Bye.");
        await using var host = await HttpHost.StartAsync(script);
        var first = await AskAsync(host, $"\"tools\": {Tools}, \"instructions\": \"Be brief.\"", isStream);
        var call = first["output"]!.AsArray().Single(item => (string?)item!["type"] == "function_call")!["call_id"];
        var second = await AskAsync(host, $$"""
            "tools": {{Tools}}, "previous_response_id": {{first["id"]!.ToJsonString()}},
            "input": [{"type": "function_call_output", "call_id": {{call!.ToJsonString()}}, "output": "43"}]
            """, isStream);
        Assert.That(script.Prompts[0], Does.StartWith("]~!b[]~b]system\nBe brief."));
        // Instructions are of one response alone; all else goes on.
        Assert.That(script.Prompts[1], Does.StartWith("]~!b[]~b]system\nYou are a helpful assistant."));
        Assert.That(script.Prompts[1], Does.Contain("user\nAdd 34 and 9.").And.Contain(Turn).And.Contain("<response>43</response>"));
        var previous = $"\"previous_response_id\": {second["id"]!.ToJsonString()}";
        await AskAsync(host, $"{previous}, \"input\": \"Thanks.\", \"instructions\": \"Be kind.\"", isStream);
        Assert.That(script.Prompts[2], Does.StartWith("]~!b[]~b]system\nBe kind.").And.Contain("It is 43.")
            .And.EndWith("user\nThanks.[e~[\n]~b]ai\n<think>\n"));
        Assert.That((string?)second["previous_response_id"], Is.EqualTo((string?)first["id"]));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Takes_its_own_items_back(bool seals)
    {
        var script = new Script(Call, "b</think>It is 43.");
        await using var host = await HttpHost.StartAsync(script);
        var include = seals ? "\"reasoning.encrypted_content\"" : "";
        var first = await AskAsync(host, $"\"tools\": {Tools}, \"store\": false, \"include\": [{include}]", isStream: false);
        var items = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Add." });
        foreach (var item in first["output"]!.AsArray())
        {
            items.Add(item!.DeepClone());
            // Some clients keep no thinking but what is sealed.
            if (seals && (string?)item["type"] == "reasoning") items[^1]!.AsObject().Remove("content");
        }
        var call = first["output"]!.AsArray()[^1]!["call_id"]!;
        items.Add(new JsonObject { ["type"] = "function_call_output", ["call_id"] = call.DeepClone(), ["output"] = "43" });
        await AskAsync(host, $"\"tools\": {Tools}, \"input\": {items.ToJsonString()}", isStream: false);
        Assert.That(script.Prompts[1], Does.Contain(Turn).And.Contain("<response>43</response>"));
    }

    [Test]
    public async Task Makes_one_system_message_of_instructions_and_what_developers_say()
    {
        var script = new Script("a</think>b");
        await using var host = await HttpHost.StartAsync(script);
        const string Input = """
            [{"role": "developer", "content": "Answer in French."},
             {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Be kind."}]},
             {"role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
             {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Salut", "annotations": []}],
              "status": "completed", "id": "msg_1"},
             {"role": "user", "content": "Again"}]
            """;
        await AskAsync(host, $"\"instructions\": \"Be brief.\", \"input\": {Input}", false);
        Assert.That(script.Prompts[0], Does.StartWith("]~!b[]~b]system\nBe brief.\nAnswer in French.\nBe kind.[e~[\n" +
            "]~b]user\nHi[e~[\n]~b]ai\nSalut[e~[\n]~b]user\nAgain"));
    }

    [Test]
    public async Task Asks_for_what_its_fields_say()
    {
        var script = new Script("a</think>7");
        await using var host = await HttpHost.StartAsync(script);
        await AskAsync(host, """
            "temperature": 0.25, "top_p": 0.5, "max_output_tokens": 9, "truncation": "auto", "reasoning": {"effort": "low", "summary": "auto"}
            """, false);
        await AskAsync(host, """
            "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "integer"}, "strict": true}}
            """, false);
        await AskAsync(host, $$"""
            "tools": {{Tools}}, "tool_choice": {"type": "function", "name": "add"}, "parallel_tool_calls": false
            """, false);
        var sampling = script.Requests[0].Sampling!;
        Assert.That((sampling.Temperature, sampling.TopP, sampling.MaxTokens), Is.EqualTo((0.25, 0.5, 9)));
        Assert.That(script.Requests[0].TruncatePrompt, Is.EqualTo(-1));
        Assert.That(script.Requests[0].Conversation!.Variables["reasoning_effort"].GetString(), Is.EqualTo("low"));
        Assert.That(script.Requests[1].Output, Is.Not.Null);
        Assert.That(script.Requests[2].ToolChoice, Is.EqualTo(ToolChoice.Named("add")));
        Assert.That(script.Requests[2].ParallelToolCalls, Is.False);
    }

    [Test]
    public async Task Is_there_until_it_is_deleted()
    {
        await using var host = await HttpHost.StartAsync(new Script("a</think>b"));
        var made = await host.AnswerAsync("/v1/responses", ResponsesTests.Asked());
        var path = $"/v1/responses/{made.GetProperty("id").GetString()}";
        Assert.That(await host.Client.GetStringAsync(path), Is.EqualTo(made.GetRawText()));
        var (cancelled, body) = await host.TryAsync(path + "/cancel", "{}");
        Assert.That(cancelled, Is.EqualTo(400), body.GetRawText());
        using var deleted = await host.Client.DeleteAsync(path);
        Assert.That(await deleted.Content.ReadAsStringAsync(),
            Is.EqualTo($"{{\"id\":\"{made.GetProperty("id").GetString()}\",\"object\":\"response\",\"deleted\":true}}"));
        using var gone = await host.Client.GetAsync(path);
        Assert.That(gone.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        using var again = await host.Client.DeleteAsync(path);
        Assert.That(again.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That((await host.TryAsync(path + "/cancel", "{}")).Status, Is.EqualTo(404));
    }

    [Test]
    public async Task Is_not_kept_where_the_request_says_so()
    {
        await using var host = await HttpHost.StartAsync(new Script("a</think>b"));
        var made = await host.AnswerAsync("/v1/responses", ResponsesTests.Asked("\"store\": false"));
        using var gone = await host.Client.GetAsync($"/v1/responses/{made.GetProperty("id").GetString()}");
        Assert.That(gone.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [Test]
    public async Task Belongs_to_the_key_that_made_it()
    {
        await using var host = await HttpHost.StartAsync(new Script("a</think>b"), options =>
        {
            options.ApiKeys.Add("one");
            options.ApiKeys.Add("two");
        });
        host.Client.DefaultRequestHeaders.Authorization = new("Bearer", "one");
        var made = await host.AnswerAsync("/v1/responses", ResponsesTests.Asked());
        var id = made.GetProperty("id").GetString();
        host.Client.DefaultRequestHeaders.Authorization = new("Bearer", "two");
        using var other = await host.Client.GetAsync($"/v1/responses/{id}");
        Assert.That(other.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That((await host.TryAsync("/v1/responses", ResponsesTests.Asked($"\"previous_response_id\": \"{id}\""))).Status, Is.EqualTo(404));
        using var notDeleted = await host.Client.DeleteAsync($"/v1/responses/{id}");
        Assert.That(notDeleted.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        host.Client.DefaultRequestHeaders.Authorization = new("Bearer", "one");
        await host.AnswerAsync("/v1/responses", ResponsesTests.Asked($"\"previous_response_id\": \"{id}\""));
    }

    private static async Task<JsonObject> AskAsync(HttpHost host, string fields, bool isStream)
    {
        if (!isStream) return JsonNode.Parse((await host.AnswerAsync("/v1/responses", ResponsesTests.Asked(fields))).GetRawText())!.AsObject();
        return StreamedResponse.Of(await host.EventsAsync("/v1/responses", ResponsesTests.Asked(fields + ", \"stream\": true"))).Last;
    }
}
