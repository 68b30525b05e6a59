using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Quilt.Tests.Cli;

/// <summary><c>quilt serve</c> as people start it: its flags, what it says, how it ends.</summary>
public sealed class ServeTests
{
    private const string Ask = """{"messages": [{"role": "user", "content": "What is the capital of France?"}], "temperature": 0}""";
    private const string Long = """{"prompt": "The", "max_tokens": 600, "ignore_eos": true, "stream": true}""";

    [Test]
    public async Task The_command_of_the_model_card_starts_and_serves()
    {
        await using var serve = await ServeProcess.StartAsync(DemoFolder, "--served-model-name", "MiniMax-M2.5", "--trust-remote-code",
            "--gpu-memory-utilization", "0.93", "--override-generation-config",
            """{"temperature": 1, "top_p": 0.95, "top_k": 40, "repetition_penalty": 1.1, "frequency_penalty": 0.40}""",
            "--enable-auto-tool-choice", "--tool-call-parser", "minimax_m2", "--reasoning-parser", "minimax_m2");
        Assert.That(serve.Said, Has.Some.Contains("--trust-remote-code changes nothing"));
        using var client = new HttpClient { BaseAddress = new Uri(serve.Url) };
        var message = await AskAsync(client, Ask.Replace("{\"messages\"", "{\"model\": \"MiniMax-M2.5\", \"messages\""));
        Assert.That(message.GetProperty("content").GetString(), Does.Contain("Paris"));
        Assert.That(message.GetProperty("reasoning").GetString(), Is.Not.Empty);
        serve.Terminate();
        Assert.That((await serve.ExitAsync()).Code, Is.Zero);
    }

    [Test]
    public async Task Thinking_stays_in_the_text_where_it_is_to_be_appended()
    {
        await using var serve = await ServeProcess.StartAsync("--enable_auto_tool_choice", "--tool_call_parser", "minimax_m2",
            "--reasoning_parser=minimax_m2_append_think");
        using var client = new HttpClient { BaseAddress = new Uri(serve.Url) };
        var message = await AskAsync(client, Ask);
        Assert.That(message.GetProperty("content").GetString(), Does.StartWith("<think>").And.Contain("</think>").And.Contain("Paris"));
        Assert.That(message.GetProperty("reasoning").ValueKind, Is.EqualTo(JsonValueKind.Null));
    }

    [TestCase(new[] { "--tp", "7" }, "num_attention_heads: expected a number that 7 devices divide")]
    [TestCase(new[] { "--tensor_parallel_size=0" }, "TensorParallel: expected 1 to 64, found 0")]
    [TestCase(new[] { "--pp", "2" }, "--pipeline-parallel-size: expected 1")]
    [TestCase(new[] { "--speculative-config", "{}" }, "--speculative-config: speculative decoding is not built")]
    [TestCase(new[] { "--enable-expert-parallel" }, "ExpertParallel: expected TensorParallel (--tp) of 2 or more")]
    [TestCase(new[] { "--tool-call-parser", "nobody" }, "--tool-call-parser: expected one of")]
    [TestCase(new[] { "--override-generation-config", "{\"temperature\": \"hot\"}" }, "temperature: expected a number")]
    [TestCase(new[] { "--override-generation-config", "{\"temperature\": -1}" }, "expected")]
    [TestCase(new[] { "--override-generation-config", "{" }, "--override-generation-config")]
    [TestCase(new[] { "--kv-cache-dtype", "nvfp4" }, "--kv-cache-dtype: expected auto, float32, bfloat16, fp8")]
    [TestCase(new[] { "--max-model-len", "100000000" }, "--max-model-len: expected at most 4096")]
    [TestCase(new[] { "--host", "0.0.0.0" }, "--host: expected --api-key")]
    [TestCase(new[] { "--host", "nowhere.example" }, "--host: expected an IP address")]
    [TestCase(new[] { "--port", "70000" }, "--port: expected 0 to 65535")]
    [TestCase(new[] { "--stream-interval", "0" }, "StreamInterval: expected at least 1, found 0")]
    [TestCase(new[] { "--ssl-certfile", "/nowhere.pem" }, "no such file")]
    [TestCase(new[] { "/no/such/model" }, "quilt: Model: expected a checkpoint folder, found none at '/no/such/model'")]
    [TestCase(new[] { "--unheard-of" }, "unheard-of")]
    public async Task What_cannot_be_done_is_refused_by_name(string[] arguments, string words)
    {
        var result = await QuiltProcess.Run(["serve", .. arguments]);
        Assert.That(result.ExitCode, Is.AnyOf(1, 2), result.Errors);
        Assert.That(result.Errors, Does.Contain(words));
        Assert.That(result.Errors, Does.Not.Contain("   at "));
    }

    [Test]
    public async Task Check_says_what_would_run_and_exits()
    {
        var result = await QuiltProcess.Run(
            ["serve", DemoFolder, "--check", "--served-model-name", "a", "b", "--max-num-seqs", "7", "--port", "8123"]);
        Assert.That(result.ExitCode, Is.Zero, result.Errors);
        Assert.That(result.Output, Does.Contain("a, b").And.Contain("7 at once").And.Contain("http://127.0.0.1:8123"));
    }

    [Test]
    public async Task Told_to_end_it_refuses_what_is_new_and_finishes_what_runs()
    {
        await using var serve = await ServeProcess.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(serve.Url) };
        using var running = await SendAsync(client, "/v1/completions", Long);
        var reading = running.Content.ReadAsStringAsync();
        serve.Terminate();
        // New requests on old connections are told; where the server has closed its door already they find none.
        HttpStatusCode? refused = null;
        for (var i = 0; refused is null && i < 100 && !reading.IsCompleted; i++)
        {
            using var next = await client.PostAsync("/v1/chat/completions", Json(Ask));
            if (next.StatusCode != HttpStatusCode.OK) refused = next.StatusCode;
        }
        Assert.That(await reading, Does.EndWith("data: [DONE]\n\n"));
        Assert.That(refused, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        Assert.That((await serve.ExitAsync()).Code, Is.Zero);
    }

    [Test]
    public async Task Told_twice_it_ends_at_once()
    {
        await using var serve = await ServeProcess.StartAsync("--drain-seconds", "600");
        using var client = new HttpClient { BaseAddress = new Uri(serve.Url) };
        using var running = await SendAsync(client, "/v1/completions", Long.Replace("600", "3000"));
        serve.Terminate();
        using (var draining = await client.GetAsync("/health")) Assert.That((int)draining.StatusCode, Is.AnyOf(200, 503));
        serve.Terminate();
        Assert.That((await serve.ExitAsync()).Code, Is.Not.Zero);
    }

    [Test]
    public async Task An_idle_server_sleeps()
    {
        await using var serve = await ServeProcess.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(serve.Url) };
        await AskAsync(client, Ask);
        // Not a claim about speed: three seconds are what the specification allows it to come to rest.
        await Task.Delay(TimeSpan.FromSeconds(3));
        var before = serve.ProcessorTime;
        await Task.Delay(TimeSpan.FromSeconds(2));
        Assert.That((serve.ProcessorTime - before).TotalSeconds, Is.LessThan(0.1), "5 % of one processor");
    }

    [Test]
    public async Task Keys_are_asked_for_and_come_from_the_environment_too()
    {
        await using var serve = await ServeProcess.StartAsync("--host", "0.0.0.0", "--api-key", "one", "two");
        using var client = new HttpClient { BaseAddress = new Uri(serve.Url.Replace("0.0.0.0", "127.0.0.1")) };
        using (var without = await client.GetAsync("/v1/models")) Assert.That((int)without.StatusCode, Is.EqualTo(401));
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "two");
        using (var with = await client.GetAsync("/v1/models")) Assert.That((int)with.StatusCode, Is.EqualTo(200));
    }

    [Test]
    public async Task Models_are_loaded_when_they_are_asked_for()
    {
        await using var serve = await ServeProcess.StartAsync(DemoFolder, "--model", $"other={DemoFolder}", "--served-model-name", "first");
        using var client = new HttpClient { BaseAddress = new Uri(serve.Url) };
        Assert.That(await LengthAsync(client, "other"), Is.Null);
        var message = await AskAsync(client, Ask.Replace("{\"messages\"", "{\"model\": \"other\", \"messages\""));
        Assert.That(message.GetProperty("content").GetString(), Does.Contain("Paris"));
        Assert.That(await LengthAsync(client, "other"), Is.Not.Null);
    }

    [Test]
    public async Task Killed_it_starts_again_as_if_nothing_had_been()
    {
        await using (var first = await ServeProcess.StartAsync())
        {
            using var client = new HttpClient { BaseAddress = new Uri(first.Url) };
            using var running = await SendAsync(client, "/v1/completions", Long);
            first.Kill();
            await first.ExitAsync();
        }
        await using var second = await ServeProcess.StartAsync();
        using var again = new HttpClient { BaseAddress = new Uri(second.Url) };
        Assert.That((await AskAsync(again, Ask)).GetProperty("content").GetString(), Does.Contain("Paris"));
    }

    private static string DemoFolder => Path.Combine(AppContext.BaseDirectory, "Demo");

    private static async Task<JsonElement> AskAsync(HttpClient client, string request)
    {
        using var response = await client.PostAsync("/v1/chat/completions", Json(request));
        var text = await response.Content.ReadAsStringAsync();
        Assert.That((int)response.StatusCode, Is.EqualTo(200), text);
        using var document = JsonDocument.Parse(text);
        return document.RootElement.GetProperty("choices")[0].GetProperty("message").Clone();
    }

    // Returns when the answer has begun.
    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, string path, string json)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = Json(json) };
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    private static async Task<int?> LengthAsync(HttpClient client, string model)
    {
        using var document = JsonDocument.Parse(await client.GetStringAsync($"/v1/models/{model}"));
        var length = document.RootElement.GetProperty("max_model_len");
        return length.ValueKind == JsonValueKind.Null ? null : length.GetInt32();
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");
}
