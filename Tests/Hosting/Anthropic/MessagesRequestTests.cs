using System.Text.Json.Nodes;
using Quilt.Runtime;

namespace Quilt.Tests.Hosting.Anthropic;

/// <summary>What requests of /v1/messages ask the engine for.</summary>
public sealed class MessagesRequestTests
{
    private const string Tools = """[{"name": "add", "input_schema": {"type": "object"}}, {"name": "look", "type": "custom", "input_schema": {}}]""";

    [Test]
    public async Task Brings_thinking_calls_and_results_to_the_template()
    {
        var script = new Script("Both are known.</think>43 and sun.");
        await using var host = await HttpHost.StartAsync(script);
        const string Messages = """
            [{"role": "user", "content": [{"type": "text", "text": "Add and look."}]},
             {"role": "assistant", "content": [
               {"type": "thinking", "thinking": "First I add.", "signature": "of another server"},
               {"type": "redacted_thinking", "data": "x"},
               {"type": "text", "text": "I add."},
               {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 34, "b": [9]}},
               {"type": "tool_use", "id": "toolu_2", "name": "look", "input": {}}]},
             {"role": "user", "content": [
               {"type": "tool_result", "tool_use_id": "toolu_1", "content": "43"},
               {"type": "tool_result", "tool_use_id": "toolu_2", "is_error": true, "content": [{"type": "text", "text": "no"},
                {"type": "text", "text": "window"}]}]}]
            """;
        const string System = """
            [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "Be kind."}]
            """;
        await host.AnswerAsync("/v1/messages", MessagesTests.Asked($"\"tools\": {Tools}, \"system\": {System}, \"messages\": {Messages}"));
        var prompt = script.Prompts[0]!;
        Assert.That(prompt, Does.Contain("system\nBe brief.").And.Contain("Be kind."));
        Assert.That(prompt, Does.Contain("""<tool>{"name": "add", "description": null, "parameters": {"type": "object"}}</tool>"""));
        Assert.That(prompt, Does.Contain("<think>\nFirst I add.\n</think>\n\nI add."));
        Assert.That(prompt,
            Does.Contain("<invoke name=\"add\">\n<parameter name=\"a\">34</parameter>\n<parameter name=\"b\">[9]</parameter>\n</invoke>"));
        Assert.That(prompt, Does.Contain("<response>43</response>").And.Contain("<response>Error: no\nwindow</response>"));
    }

    [Test]
    public async Task Takes_its_own_answer_back()
    {
        var script = new Script(
            "I look.</think><minimax:tool_call>\n<invoke name=\"look\">\n<parameter name=\"at\">it</parameter>\n</invoke>\n</minimax:tool_call>",
            "b</think>c");
        await using var host = await HttpHost.StartAsync(script);
        var first = JsonNode.Parse((await host.AnswerAsync("/v1/messages", MessagesTests.Asked($"\"tools\": {Tools}"))).GetRawText())!;
        var call = first["content"]![1]!;
        var result = new JsonObject { ["type"] = "tool_result", ["tool_use_id"] = call["id"]!.DeepClone(), ["content"] = "seen" };
        var messages = new JsonArray(
            new JsonObject { ["role"] = "user", ["content"] = "Look." },
            new JsonObject { ["role"] = "assistant", ["content"] = first["content"]!.DeepClone() },
            new JsonObject { ["role"] = "user", ["content"] = new JsonArray(result) });
        await host.AnswerAsync("/v1/messages", MessagesTests.Asked($"\"tools\": {Tools}, \"messages\": {messages.ToJsonString()}"));
        Assert.That(script.Prompts[1], Does.Contain("<think>\nI look.\n</think>").And.Contain("<response>seen</response>"));
    }

    [Test]
    public async Task Goes_on_with_a_message_of_the_assistants()
    {
        var script = new Script(" nine");
        await using var host = await HttpHost.StartAsync(script);
        const string Messages = """[{"role": "user", "content": "Count."}, {"role": "assistant", "content": "seven eight"}]""";
        var answer = await host.AnswerAsync("/v1/messages", MessagesTests.Asked($"\"messages\": {Messages}"));
        Assert.That(script.Prompts[0], Does.EndWith("]~b]ai\nseven eight"));
        Assert.That(answer.GetProperty("content")[0].GetProperty("text").GetString(), Is.EqualTo(" nine"));
    }

    [Test]
    public async Task Asks_for_what_its_fields_say()
    {
        var script = new Script("a</think>b");
        await using var host = await HttpHost.StartAsync(script);
        await Ask("""
            "temperature": 0.25, "top_p": 0.5, "top_k": 7, "stop_sequences": ["x"], "metadata": {"user_id": "u"}, "service_tier": "auto"
            """);
        await Ask("\"thinking\": {\"type\": \"enabled\", \"budget_tokens\": 2000}");
        await Ask("\"thinking\": {\"type\": \"adaptive\"}, \"output_config\": {\"effort\": \"low\"}");
        await Ask("\"thinking\": {\"type\": \"disabled\"}");
        await Ask($"\"tools\": {Tools}, \"tool_choice\": {{\"type\": \"any\"}}");
        await Ask($"\"tools\": {Tools}, \"tool_choice\": {{\"type\": \"tool\", \"name\": \"look\", \"disable_parallel_tool_use\": true}}");
        await Ask($"\"tools\": {Tools}, \"tool_choice\": {{\"type\": \"none\"}}");
        await Ask("\"output_config\": {\"format\": {\"type\": \"json_schema\", \"schema\": {\"type\": \"integer\"}}}");
        var asked = script.Requests;
        var sampling = asked[0].Sampling!;
        Assert.That((sampling.Temperature, sampling.TopP, sampling.TopK, sampling.MaxTokens), Is.EqualTo((0.25, 0.5, 7, 64)));
        Assert.That(sampling.Stop, Is.EqualTo(["x"]));
        Assert.That(sampling.ThinkingBudget, Is.Null);
        Assert.That(asked[1].Sampling!.ThinkingBudget, Is.EqualTo(2000));
        Assert.That(asked[2].Sampling!.ThinkingBudget, Is.Null);
        Assert.That(asked[2].Conversation!.Variables["reasoning_effort"].GetString(), Is.EqualTo("low"));
        Assert.That(asked[2].Conversation!.Variables["enable_thinking"].GetBoolean(), Is.True);
        Assert.That(asked[3].Sampling!.ThinkingBudget, Is.Zero);
        Assert.That(asked[3].Conversation!.Variables["enable_thinking"].GetBoolean(), Is.False);
        Assert.That(asked[4].ToolChoice, Is.EqualTo(ToolChoice.Required));
        Assert.That(asked[5].ToolChoice, Is.EqualTo(ToolChoice.Named("look")));
        Assert.That(asked[5].ParallelToolCalls, Is.False);
        Assert.That(asked[6].Reply!.CallsAsText, Is.True);
        Assert.That(asked[7].Output, Is.Not.Null);

        Task Ask(string fields) => host.AnswerAsync("/v1/messages", MessagesTests.Asked(fields));
    }

    [Test]
    public async Task Counts_what_an_answer_counts()
    {
        await using var host = await HttpHost.StartAsync(new Script("a</think>b"));
        var fields = $"\"tools\": {Tools}, \"system\": \"Be brief.\"";
        var usage = (await host.AnswerAsync("/v1/messages", MessagesTests.Asked(fields))).GetProperty("usage");
        var answered = usage.GetProperty("input_tokens").GetInt32();
        var counted = await host.AnswerAsync("/v1/messages/count_tokens", MessagesTests.Asked(fields + ", \"max_tokens\": null"));
        Assert.That(counted.GetRawText(), Is.EqualTo($"{{\"input_tokens\":{answered}}}"));
    }

    [Test]
    public async Task Ends_the_demo_models_thinking_at_once_where_it_is_disabled()
    {
        await using var host = await HttpHost.StartAsync();
        var thinking = await host.AnswerAsync("/v1/messages", MessagesTests.Asked("\"temperature\": 0"));
        var disabled = await host.AnswerAsync("/v1/messages", MessagesTests.Asked("\"temperature\": 0, \"thinking\": {\"type\": \"disabled\"}"));
        Assert.That(thinking.GetProperty("content")[0].GetProperty("type").GetString(), Is.EqualTo("thinking"));
        Assert.That(thinking.GetProperty("content")[1].GetProperty("text").GetString(), Does.Contain("34 + 9 = 43"));
        Assert.That(disabled.GetProperty("content").EnumerateArray().Select(block => block.GetProperty("type").GetString()),
            Has.None.EqualTo("thinking"));
    }

    [TestCase("\"max_tokens\": null", "max_tokens")]
    [TestCase("\"max_tokens\": 0", "max_tokens")]
    [TestCase("\"messages\": []", "messages")]
    [TestCase("\"messages\": [{\"role\": \"tool\", \"content\": \"\"}]", "messages.0.role")]
    [TestCase("\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"image\", \"source\": {}}]}]", "found a block of type image")]
    [TestCase("\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"document\", \"source\": {}}]}]", "found a block of type document")]
    [TestCase("\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"tool_result\", \"content\": \"\"}]}]", "tool_use_id")]
    [TestCase("""
        "messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "b", "input": {}}]}]
        """, "tool_result")]
    [TestCase("""
        "messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "b", "input": 1}]}]
        """, "input")]
    [TestCase("\"tools\": [{\"type\": \"web_search_20250305\", \"name\": \"web_search\"}]", "web_search_20250305")]
    [TestCase("\"tools\": [{\"name\": \"a\"}]", "input_schema")]
    [TestCase("\"tool_choice\": {\"type\": \"any\"}", "tools")]
    [TestCase("\"tool_choice\": {\"type\": \"some\"}", "tool_choice.type")]
    [TestCase("\"thinking\": {\"type\": \"enabled\"}", "budget_tokens")]
    [TestCase("\"thinking\": {\"type\": \"enabled\", \"budget_tokens\": 0}", "budget_tokens")]
    [TestCase("\"thinking\": {\"type\": \"maybe\"}", "thinking.type")]
    [TestCase("\"temperature\": -1", "temperature")]
    [TestCase("\"temperature\": \"hot\"", "temperature")]
    [TestCase("\"stop_sequences\": [1]", "stop_sequences")]
    [TestCase("\"system\": [{\"type\": \"image\"}]", "image")]
    [TestCase("\"container\": \"c\"", "container")]
    [TestCase("\"output_config\": {\"format\": {\"type\": \"xml\"}}", "json_schema")]
    public async Task Refuses_by_name(string fields, string named)
    {
        await using var host = await HttpHost.StartAsync(new Script("a</think>b"));
        var (status, body) = await host.TryAsync("/v1/messages", MessagesTests.Asked(fields));
        Assert.That(status, Is.EqualTo(400));
        Assert.That(body.GetProperty("type").GetString(), Is.EqualTo("error"));
        Assert.That(body.GetProperty("error").GetProperty("type").GetString(), Is.EqualTo("invalid_request_error"));
        Assert.That(body.GetProperty("error").GetProperty("message").GetString(), Does.Contain(named));
    }

    [Test]
    public async Task Refuses_unknown_models_and_bodies_that_are_too_large()
    {
        await using var host = await HttpHost.StartAsync(new Script("a</think>b"), options => options.MaxBodyBytes = 1000);
        var (status, body) = await host.TryAsync("/v1/messages", MessagesTests.Asked("\"model\": \"claude\""));
        Assert.That((status, body.GetProperty("error").GetProperty("type").GetString()), Is.EqualTo((404, "not_found_error")));
        (status, body) = await host.TryAsync("/v1/messages", MessagesTests.Asked($"\"system\": \"{new string('a', 1000)}\""));
        Assert.That((status, body.GetProperty("error").GetProperty("type").GetString()), Is.EqualTo((413, "request_too_large")));
        (status, body) = await host.TryAsync("/v1/messages/count_tokens", "{");
        Assert.That((status, body.GetProperty("error").GetProperty("type").GetString()), Is.EqualTo((400, "invalid_request_error")));
    }
}
