using System.Text.Json;
using Quilt.Hosting;

namespace Quilt.Tests.Hosting.OpenAi;

/// <summary>Answers of /v1/chat/completions, field by field.</summary>
public sealed class ChatCompletionTests
{
    private const string Ask = """ "messages": [{"role": "user", "content": "What is the capital of France?"}] """;
    private const string Tool = """
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}}}},
            {"type": "function", "function": {"name": "g"}}]
        """;
    private const string Calls = "I call.</think>Now.<minimax:tool_call><invoke name=\"f\"><parameter name=\"a\">1</parameter></invoke>" +
        "<invoke name=\"g\"></invoke></minimax:tool_call>";

    [Test]
    public async Task A_whole_answer_has_the_fields_of_the_specification_and_no_others()
    {
        await using var host = await HttpHost.StartAsync(new Script("I think.</think>It is 43."));
        var answer = await host.AnswerAsync("/v1/chat/completions", $"{{{Ask}}}");
        using var all = Assert.EnterMultipleScope();
        Assert.That(Names(answer), Is.EqualTo(["object", "id", "created", "model", "choices", "usage", "service_tier", "system_fingerprint",
            "prompt_logprobs", "prompt_token_ids", "kv_transfer_params"]));
        Assert.That(answer.GetProperty("id").GetString(), Does.Match("^chatcmpl-[0-9a-f]{32}$"));
        Assert.That(answer.GetProperty("object").GetString(), Is.EqualTo("chat.completion"));
        Assert.That(answer.GetProperty("model").GetString(), Is.EqualTo("demo"));
        var choice = answer.GetProperty("choices")[0];
        Assert.That(Names(choice), Is.EqualTo(["index", "message", "logprobs", "finish_reason", "stop_reason", "token_ids"]));
        Assert.That(choice.GetProperty("message").GetRawText(), Is.EqualTo(
            "{\"role\":\"assistant\",\"content\":\"It is 43.\",\"refusal\":null,\"annotations\":null,\"audio\":null,\"function_call\":null," +
            "\"reasoning\":\"I think.\",\"reasoning_content\":\"I think.\"}"));
        var usage = answer.GetProperty("usage");
        Assert.That(Names(usage), Is.EqualTo(["prompt_tokens", "total_tokens", "completion_tokens", "completion_tokens_details"]));
        Assert.That(usage.GetProperty("total_tokens").GetInt32(),
            Is.EqualTo(usage.GetProperty("prompt_tokens").GetInt32() + usage.GetProperty("completion_tokens").GetInt32()));
        Assert.That(usage.GetProperty("completion_tokens_details").GetProperty("reasoning_tokens").GetInt32(), Is.GreaterThan(0));
    }

    [Test]
    public async Task A_stream_begins_with_the_role_and_ends_with_the_reason_the_usage_and_done()
    {
        await using var host = await HttpHost.StartAsync(new Script("I think.</think>It is 43."));
        var chunks = await host.StreamAsync("/v1/chat/completions", $$"""{ {{Ask}}, "stream": true, "stream_options": {"include_usage": true} }""");
        using var all = Assert.EnterMultipleScope();
        Assert.That(chunks[0].GetProperty("choices").GetRawText(),
            Is.EqualTo("""[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]"""));
        Assert.That(chunks[^2].GetProperty("choices").GetRawText(),
            Is.EqualTo("""[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop","stop_reason":null}]"""));
        Assert.That(chunks[^1].GetProperty("choices").GetArrayLength(), Is.Zero);
        Assert.That(chunks[^1].GetProperty("usage").GetProperty("completion_tokens").GetInt32(), Is.GreaterThan(3));
        Assert.That(chunks.SkipLast(1).Any(chunk => chunk.TryGetProperty("usage", out _)), Is.False);
        Assert.That(chunks.Select(chunk => chunk.GetProperty("id").GetString()).Distinct().Count(), Is.EqualTo(1));
        Assert.That(chunks.Select(chunk => chunk.GetProperty("object").GetString()), Is.All.EqualTo("chat.completion.chunk"));
        var reply = HttpReply.Of(chunks);
        Assert.That((reply.Reasoning, reply.Content), Is.EqualTo(("I think.", "It is 43.")));
    }

    [Test]
    public async Task The_model_says_the_same_whole_and_in_pieces()
    {
        await using var host = await HttpHost.StartAsync();
        var whole = HttpReply.Whole(await host.AnswerAsync("/v1/chat/completions", $$"""{ {{Ask}}, "seed": 7}"""));
        var pieces = HttpReply.Of(await host.StreamAsync("/v1/chat/completions", $$"""{ {{Ask}}, "seed": 7, "stream": true}"""));
        Assert.That(pieces.Content, Is.EqualTo(whole.Content).And.Contains("Paris"));
        Assert.That(pieces.Reasoning, Is.EqualTo(whole.Reasoning));
    }

    [TestCase(1)]
    [TestCase(3)]
    [TestCase(1000)]
    public async Task Pieces_of_several_tokens_say_the_same(int interval)
    {
        await using var host = await HttpHost.StartAsync(new Script(Calls));
        var chunks = await host.StreamAsync("/v1/chat/completions", $$"""{ {{Ask}}, {{Tool}}, "stream": true, "stream_interval": {{interval}} }""");
        var reply = HttpReply.Of(chunks);
        Assert.That((reply.Reasoning, reply.Content, reply.FinishReason), Is.EqualTo(("I call.", "Now.", "tool_calls")));
        Assert.That(reply.Calls, Is.EqualTo([("f", "{\"a\": 1}"), ("g", "{}")]));
    }

    [Test]
    public async Task A_reply_that_calls_has_calls_and_says_so()
    {
        await using var host = await HttpHost.StartAsync(new Script(Calls));
        var answer = await host.AnswerAsync("/v1/chat/completions", $$"""{ {{Ask}}, {{Tool}} }""");
        var reply = HttpReply.Whole(answer);
        Assert.That(reply.Calls, Is.EqualTo([("f", "{\"a\": 1}"), ("g", "{}")]));
        Assert.That(reply.FinishReason, Is.EqualTo("tool_calls"));
    }

    [Test]
    public async Task Without_parallel_calls_the_first_counts([Values] bool isStream)
    {
        await using var host = await HttpHost.StartAsync(new Script(Calls));
        var request = $$"""{ {{Ask}}, {{Tool}}, "parallel_tool_calls": false, "stream": {{(isStream ? "true" : "false")}} }""";
        var reply = isStream ? HttpReply.Of(await host.StreamAsync("/v1/chat/completions", request))
            : HttpReply.Whole(await host.AnswerAsync("/v1/chat/completions", request));
        Assert.That(reply.Calls, Is.EqualTo([("f", "{\"a\": 1}")]));
    }

    [TestCase("\"none\"")]
    [TestCase(null)]
    public async Task Where_nothing_may_be_called_calls_are_text(string? choice)
    {
        await using var host = await HttpHost.StartAsync(new Script(Calls));
        var request = choice is null ? $"{{{Ask}}}" : $$"""{ {{Ask}}, {{Tool}}, "tool_choice": {{choice}} }""";
        var reply = HttpReply.Whole(await host.AnswerAsync("/v1/chat/completions", request));
        Assert.That(reply.Calls, Is.Empty);
        Assert.That(reply.Content, Does.StartWith("Now.<minimax:tool_call>"));
        Assert.That(reply.FinishReason, Is.EqualTo("stop"));
    }

    [TestCase("\"required\"", "")]
    [TestCase("{\"type\": \"function\", \"function\": {\"name\": \"g\"}}", "g")]
    public async Task The_model_calls_where_it_must(string choice, string name)
    {
        await using var host = await HttpHost.StartAsync();
        var request = $$"""{ {{Ask}}, {{Tool}}, "tool_choice": {{choice}}, "temperature": 0, "max_tokens": 200, "parallel_tool_calls": false}""";
        var reply = HttpReply.Whole(await host.AnswerAsync("/v1/chat/completions", request));
        Assert.That(reply.Calls, Has.Count.EqualTo(1));
        Assert.That(reply.Calls[0].Name, name.Length > 0 ? Is.EqualTo(name) : Is.AnyOf("f", "g"));
        Assert.That(reply.Content, Is.Null);
    }

    [Test]
    public async Task A_reply_has_the_form_that_is_asked_for()
    {
        const string Schema = """
            {"type": "object", "properties": {"x": {"enum": ["one", "two"]}}, "required": ["x"], "additionalProperties": false}
            """;
        await using var host = await HttpHost.StartAsync();
        var reply = HttpReply.Whole(await host.AnswerAsync("/v1/chat/completions", $$"""
            { {{Ask}}, "max_tokens": 400, "temperature": 0, "response_format":
                {"type": "json_schema", "json_schema": {"name": "s", "schema": {{Schema}} } } }
            """));
        Assert.That(reply.FinishReason, Is.EqualTo("stop"));
        using var document = JsonDocument.Parse(reply.Content!);
        Assert.That(document.RootElement.GetProperty("x").GetString(), Is.AnyOf("one", "two"));
    }

    [Test]
    public async Task Any_object_is_an_object()
    {
        await using var host = await HttpHost.StartAsync();
        var reply = HttpReply.Whole(await host.AnswerAsync("/v1/chat/completions",
            $$"""{ {{Ask}}, "max_tokens": 60, "temperature": 0, "response_format": {"type": "json_object"} }"""));
        Assert.That(reply.Content, Does.StartWith("{"));
    }

    [TestCase("""{"regex": "[0-9]{3}"}""", "^[0-9]{3}$")]
    [TestCase("""{"choice": ["Lima", "Oslo"]}""", "^(Lima|Oslo)$")]
    [TestCase("""{"grammar": "root ::= \"a\" \"b\""}""", "^ab$")]
    public async Task Structured_outputs_hold(string kind, string pattern)
    {
        await using var host = await HttpHost.StartAsync();
        var reply = HttpReply.Whole(
            await host.AnswerAsync("/v1/chat/completions", $$"""{ {{Ask}}, "structured_outputs": {{kind}}, "max_tokens": 200}"""));
        Assert.That(reply.Content, Does.Match(pattern));
    }

    [Test]
    public async Task Several_replies_come_one_beside_the_other([Values] bool isStream)
    {
        await using var host = await HttpHost.StartAsync(new Script("a</think>one", "b</think>two", "c</think>three"));
        var request = $$"""{ {{Ask}}, "n": 3, "stream": {{(isStream ? "true" : "false")}} }""";
        string?[] texts;
        if (isStream)
        {
            var chunks = await host.StreamAsync("/v1/chat/completions", request);
            texts = [.. Enumerable.Range(0, 3).Select(i => string.Concat(chunks.SelectMany(chunk => chunk.GetProperty("choices").EnumerateArray())
                .Where(choice => choice.GetProperty("index").GetInt32() == i)
                .Select(choice => choice.GetProperty("delta").TryGetProperty("content", out var text) ? text.GetString() : "")))];
        }
        else
        {
            var answer = await host.AnswerAsync("/v1/chat/completions", request);
            texts = [.. answer.GetProperty("choices").EnumerateArray().Select(c => c.GetProperty("message").GetProperty("content").GetString())];
        }
        Assert.That(texts, Is.EqualTo(["one", "two", "three"]));
    }

    [Test]
    public async Task Log_probabilities_are_of_every_token_however_they_come()
    {
        await using var host = await HttpHost.StartAsync();
        var ask = $$"""{ {{Ask}}, "temperature": 0, "max_tokens": 12, "logprobs": true, "top_logprobs": 2""";
        var whole = await host.AnswerAsync("/v1/chat/completions", ask + "}");
        var listed = whole.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("content");
        var streamed = (await host.StreamAsync("/v1/chat/completions", ask + ", \"stream\": true}"))
            .Select(chunk => chunk.GetProperty("choices")[0].GetProperty("logprobs")).Where(logs => logs.ValueKind == JsonValueKind.Object)
            .SelectMany(logs => logs.GetProperty("content").EnumerateArray()).Select(token => token.GetRawText());
        Assert.That(listed.GetArrayLength(), Is.EqualTo(12));
        Assert.That(streamed, Is.EqualTo(listed.EnumerateArray().Select(token => token.GetRawText())));
        foreach (var token in listed.EnumerateArray())
        {
            Assert.That(Names(token), Is.EqualTo(["token", "logprob", "bytes", "top_logprobs"]));
            Assert.That(token.GetProperty("top_logprobs").GetArrayLength(), Is.EqualTo(2));
            Assert.That(token.GetProperty("logprob").GetDouble(), Is.LessThanOrEqualTo(0));
        }
    }

    [TestCase(ReasoningField.Both, true, true)]
    [TestCase(ReasoningField.Reasoning, true, false)]
    [TestCase(ReasoningField.ReasoningContent, false, true)]
    public async Task Thinking_has_the_names_that_the_server_gives_it(ReasoningField field, bool hasOwn, bool hasOther)
    {
        await using var host = await HttpHost.StartAsync(new Script("I think.</think>x"), options => options.ReasoningField = field);
        var message = (await host.AnswerAsync("/v1/chat/completions", $"{{{Ask}}}")).GetProperty("choices")[0].GetProperty("message");
        Assert.That(message.GetProperty("reasoning").GetString(), hasOwn ? Is.EqualTo("I think.") : Is.Null);
        Assert.That(message.TryGetProperty("reasoning_content", out _), Is.EqualTo(hasOther));
        var reply = HttpReply.Of(await host.StreamAsync("/v1/chat/completions", $$"""{ {{Ask}}, "stream": true}"""));
        Assert.That((reply.Reasoning is not null, reply.ReasoningContent is not null), Is.EqualTo((hasOwn, hasOther)));
    }

    [Test]
    public async Task Thinking_is_left_out_where_nobody_wants_it()
    {
        await using var host = await HttpHost.StartAsync(new Script("I think.</think>x"));
        var whole = HttpReply.Whole(await host.AnswerAsync("/v1/chat/completions", $$"""{ {{Ask}}, "include_reasoning": false}"""));
        var pieces = HttpReply.Of(await host.StreamAsync("/v1/chat/completions", $$"""{ {{Ask}}, "include_reasoning": false, "stream": true}"""));
        Assert.That((whole.Reasoning, whole.Content, pieces.Reasoning, pieces.Content), Is.EqualTo(((string?)null, "x", (string?)null, "x")));
    }

    [Test]
    public async Task A_failure_within_a_stream_is_an_event_and_the_end()
    {
        await using var host = await HttpHost.StartAsync(new Script(new ScriptedReply("some words that come first") { FailAfter = 3 }));
        var chunks = await host.StreamAsync("/v1/chat/completions", $$"""{ {{Ask}}, "stream": true}""");
        Assert.That(chunks[^1].GetProperty("error").GetProperty("code").GetInt32(), Is.EqualTo(500));
        using var whole = await host.PostAsync("/v1/chat/completions", $"{{{Ask}}}");
        Assert.That((int)whole.StatusCode, Is.EqualTo(500));
    }

    [Test]
    public async Task Cached_tokens_are_told_where_the_server_tells_them()
    {
        await using var host = await HttpHost.StartAsync(configure: options => options.PromptTokensDetails = true);
        var request = $$"""{ {{Ask}}, "max_tokens": 1, "cache_salt": "mine"}""";
        int Cached(JsonElement answer) => answer.GetProperty("usage").GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();
        Assert.That(Cached(await host.AnswerAsync("/v1/chat/completions", request)), Is.Zero);
        Assert.That(Cached(await host.AnswerAsync("/v1/chat/completions", request)), Is.EqualTo(32));
        Assert.That(Cached(await host.AnswerAsync("/v1/chat/completions", request.Replace("mine", "yours"))), Is.Zero);
    }

    [Test]
    public async Task What_the_server_says_of_sampling_holds_until_the_request_says_otherwise()
    {
        var script = new Script("a</think>b");
        await using var host = await HttpHost.StartAsync(script, models: options =>
        {
            options.UseGenerationConfig = false;
            options.Sampling = new SamplingDefaults
            { Temperature = 0.5, TopK = 40, RepetitionPenalty = 1.1, FrequencyPenalty = 0.4, MaxNewTokens = 99 };
        });
        await host.AnswerAsync("/v1/chat/completions", $"{{{Ask}}}");
        await host.AnswerAsync("/v1/chat/completions", $$"""{ {{Ask}}, "temperature": 0.25, "top_k": 3, "max_tokens": 500}""");
        var (first, second) = (script.Requests[0].Sampling!, script.Requests[1].Sampling!);
        Assert.That((first.Temperature, first.TopK, first.RepetitionPenalty, first.FrequencyPenalty, first.MaxTokens),
            Is.EqualTo((0.5, 40, 1.1, 0.4, 99)));
        Assert.That((second.Temperature, second.TopK, second.RepetitionPenalty, second.MaxTokens), Is.EqualTo((0.25, 3, 1.1, 99)));
    }

    [Test]
    public async Task The_last_message_goes_on()
    {
        await using var host = await HttpHost.StartAsync();
        var answer = await host.AnswerAsync("/v1/chat/completions/render", """
            {"messages": [{"role": "user", "content": "Say"}, {"role": "assistant", "content": "It is"}], "continue_final_message": true}
            """);
        Assert.That(answer.GetProperty("prompt").GetString(), Does.EndWith("It is"));
        Assert.That(answer.GetProperty("prompt_token_ids").GetArrayLength(), Is.GreaterThan(3));
    }

    private static IEnumerable<string> Names(JsonElement element) => element.EnumerateObject().Select(field => field.Name);
}
