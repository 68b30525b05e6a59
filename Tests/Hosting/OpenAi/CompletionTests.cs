using System.Text.Json;

namespace Quilt.Tests.Hosting.OpenAi;

/// <summary>Answers of /v1/completions, and of what a server says of itself.</summary>
public sealed class CompletionTests
{
    private HttpHost host = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => host = await HttpHost.StartAsync(loads: true);

    [OneTimeTearDown]
    public async Task StopAsync() => await host.DisposeAsync();

    [Test]
    public async Task A_prompt_is_text_or_ids_or_several_of_either()
    {
        var ids = host.Engine.Tokenizer!.Encode("The capital of", addSpecialTokens: true);
        var other = host.Engine.Tokenizer.Encode("Hello", addSpecialTokens: true);
        var text = await AskAsync("\"The capital of\"");
        Assert.That(text, Has.Length.EqualTo(1));
        Assert.That(await AskAsync($"[{string.Join(',', ids)}]"), Is.EqualTo(text));
        Assert.That((await AskAsync("[\"The capital of\", \"Hello\"]"))[0], Is.EqualTo(text[0]));
        Assert.That(await AskAsync($"[[{string.Join(',', ids)}],[{string.Join(',', other)}]]"),
            Is.EqualTo(await AskAsync("[\"The capital of\", \"Hello\"]")));
    }

    [Test]
    public async Task Sixteen_tokens_come_where_nobody_says_how_many()
    {
        var answer = await host.AnswerAsync("/v1/completions", """{"prompt": "The", "ignore_eos": true}""");
        Assert.That(answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32(), Is.EqualTo(16));
        Assert.That(answer.GetProperty("choices")[0].GetProperty("finish_reason").GetString(), Is.EqualTo("length"));
    }

    [Test]
    public async Task Pieces_say_what_the_whole_says()
    {
        const string Ask = """{"prompt": "The capital of", "max_tokens": 8, "temperature": 0, "logprobs": 2, "echo": true""";
        var whole = (await host.AnswerAsync("/v1/completions", Ask + "}")).GetProperty("choices")[0];
        var pieces = await host.StreamAsync("/v1/completions", Ask + ", \"stream\": true}");
        var choices = pieces.SelectMany(piece => piece.GetProperty("choices").EnumerateArray()).ToArray();
        Assert.That(string.Concat(choices.Select(choice => choice.GetProperty("text").GetString())),
            Is.EqualTo(whole.GetProperty("text").GetString()));
        foreach (var part in (string[])["tokens", "text_offset", "token_logprobs", "top_logprobs"])
        {
            var streamed = choices.Where(choice => choice.GetProperty("logprobs").ValueKind == JsonValueKind.Object)
                .SelectMany(choice => choice.GetProperty("logprobs").GetProperty(part).EnumerateArray()).Select(value => value.GetRawText());
            Assert.That(streamed, Is.EqualTo(whole.GetProperty("logprobs").GetProperty(part).EnumerateArray().Select(value => value.GetRawText())),
                part);
        }
        Assert.That(whole.GetProperty("text").GetString(), Does.StartWith("The capital of"));
    }

    [Test]
    public async Task A_prompt_alone_is_scored_where_no_token_is_asked_for()
    {
        var answer = await host.AnswerAsync("/v1/completions", """{"prompt": "The capital of", "max_tokens": 0, "echo": true, "logprobs": 0}""");
        var choice = answer.GetProperty("choices")[0];
        Assert.That(choice.GetProperty("text").GetString(), Is.EqualTo("The capital of"));
        Assert.That(choice.GetProperty("logprobs").GetProperty("token_logprobs").GetArrayLength(),
            Is.EqualTo(answer.GetProperty("usage").GetProperty("prompt_tokens").GetInt32()));
        Assert.That(answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32(), Is.Zero);
    }

    [TestCase("""{"prompt": "a", "suffix": "b"}""", "suffix is not currently supported")]
    [TestCase("""{"prompt": []}""", "prompt")]
    [TestCase("""{"prompt": [1, -1]}""", "token ids")]
    [TestCase("""{"prompt": [9223372036854775808]}""", "token ids")]
    [TestCase("""{"prompt": ["a", 1]}""", "prompt")]
    [TestCase("""{"prompt": {}}""", "prompt")]
    [TestCase("""{}""", "prompt")]
    [TestCase("""{"prompt": "a", "logprobs": 21}""", "greater than max allowed")]
    [TestCase("""{"prompt": "a", "n": 2, "temperature": 0}""", "greedy")]
    public async Task What_cannot_be_continued_is_refused(string request, string words)
    {
        using var response = await host.PostAsync("/v1/completions", request);
        Assert.That((int)response.StatusCode, Is.EqualTo(400));
        Assert.That(await response.Content.ReadAsStringAsync(), Does.Contain(words));
    }

    [Test]
    public async Task Texts_become_tokens_and_come_back()
    {
        var there = await host.AnswerAsync("/tokenize", """{"prompt": "Hällo, 世界", "add_special_tokens": false, "return_token_strs": true}""");
        var tokens = there.GetProperty("tokens").GetRawText();
        var back = await host.AnswerAsync("/detokenize", $$"""{"tokens": {{tokens}} }""");
        Assert.That(back.GetProperty("prompt").GetString(), Is.EqualTo("Hällo, 世界"));
        Assert.That(there.GetProperty("count").GetInt32(), Is.EqualTo(there.GetProperty("token_strs").GetArrayLength()));
        var chat = await host.AnswerAsync("/tokenize", """{"messages": [{"role": "user", "content": "x"}]}""");
        var rendered = await host.AnswerAsync("/v1/chat/completions/render", """{"messages": [{"role": "user", "content": "x"}]}""");
        Assert.That(chat.GetProperty("tokens").GetRawText(), Is.EqualTo(rendered.GetProperty("prompt_token_ids").GetRawText()));
    }

    [Test]
    public async Task A_server_says_what_it_is()
    {
        using var health = await host.Client.GetAsync("/health");
        Assert.That(((int)health.StatusCode, (await health.Content.ReadAsByteArrayAsync()).Length), Is.EqualTo((200, 0)));
        using var ping = await host.Client.PostAsync("/ping", null);
        Assert.That((int)ping.StatusCode, Is.EqualTo(200));
        using var models = JsonDocument.Parse(await host.Client.GetStringAsync("/v1/models"));
        var card = models.RootElement.GetProperty("data")[0];
        Assert.That((card.GetProperty("id").GetString(), card.GetProperty("max_model_len").GetInt32()), Is.EqualTo(("demo", host.Engine.MaxTokens)));
        using var version = JsonDocument.Parse(await host.Client.GetStringAsync("/version"));
        Assert.That(version.RootElement.GetProperty("version").GetString(), Does.Match(@"^\d+\.\d+\.\d+"));
        Assert.That(await host.Client.GetStringAsync("/load"), Is.EqualTo("""{"server_load":0}"""));
        Assert.That(await host.Client.GetStringAsync("/metrics"), Does.Contain("vllm:num_requests_running{"));
        using var missing = await host.Client.GetAsync("/v1/models/nope");
        Assert.That((int)missing.StatusCode, Is.EqualTo(404));
    }

    private async Task<string?[]> AskAsync(string prompt)
    {
        var answer = await host.AnswerAsync("/v1/completions", $$"""{"prompt": {{prompt}}, "max_tokens": 4, "temperature": 0}""");
        return [.. answer.GetProperty("choices").EnumerateArray().Select(choice => choice.GetProperty("text").GetString())];
    }
}
