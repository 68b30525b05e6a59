using System.Diagnostics;
using System.Text.Json;
using Quilt.Cli.Bench.Serve;

namespace Quilt.Tests.Cli;

/// <summary>`bench serve` against a server whose replies are known: what it sends, what it counts, what it says of failures.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class BenchServeTests
{
    private static readonly string[] Keys =
        ["requests", "failures", "seconds", "prompt_tokens_per_second", "output_tokens_per_second", "ttft", "itl", "e2e"];

    private static readonly LoadOptions Load = new(12, 3, null, 1, 40, 12, 0, 1, LoadEndpoint.Chat);

    [Test]
    public async Task Json_has_the_keys_to_the_letter_and_counts_that_fit()
    {
        await using var stub = await new BenchServeStub().StartAsync();
        var run = await QuiltProcess.Run(["bench", "serve", "--url", stub.Address, "--requests", "12", "--streams", "3", "--prompt", "40",
            "--reply", "12", "--api-key", "sesame", "--json"]);
        Assert.That((run.ExitCode, run.Errors), Is.EqualTo((0, "")));
        using var json = JsonDocument.Parse(run.Output);
        var root = json.RootElement;
        Assert.That(root.EnumerateObject().Select(p => p.Name), Is.EqualTo(Keys));
        foreach (var name in Keys[^3..])
        {
            Assert.That(root.GetProperty(name).EnumerateObject().Select(p => p.Name), Is.EqualTo(new[] { "mean", "p50", "p90", "p99" }));
            Assert.That(root.GetProperty(name).EnumerateObject().Select(p => p.Value.GetDouble()), Is.All.GreaterThanOrEqualTo(0));
        }
        Assert.That((root.GetProperty("requests").GetInt32(), root.GetProperty("failures").GetInt32()), Is.EqualTo((12, 0)));
        var seconds = root.GetProperty("seconds").GetDouble();
        Assert.That(root.GetProperty("prompt_tokens_per_second").GetDouble() * seconds, Is.EqualTo(12 * 40).Within(1e-6));
        Assert.That(root.GetProperty("output_tokens_per_second").GetDouble() * seconds, Is.EqualTo(12 * 12).Within(1e-6));
        Assert.That(stub.Requests, Has.Count.EqualTo(12));
        Assert.That(stub.Keys.Keys, Is.EqualTo(new[] { "Bearer sesame" }));
    }

    [Test]
    public async Task People_get_a_table_and_failures_end_with_1_and_their_reasons()
    {
        await using var stub = await new BenchServeStub { Mishap = i => i switch { 0 or 1 => "status", 4 => "abort", _ => null } }.StartAsync();
        var run = await QuiltProcess.Run(["bench", "serve", "--url", $"{stub.Address}/v1/", "--model", "named", "--endpoint", "completions",
            "--requests", "9", "--rate", "300", "--prompt", "20", "--reply", "12"]);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Complaints, Has.Length.EqualTo(1));
        Assert.That(run.Complaints[0], Does.StartWith("quilt: 3 of 9 requests failed: 2 x status 503: The server is full.; 1 x broken stream: "));
        Assert.That(run.Output, Does.Contain("9 in ").And.Contain("3 failed").And.Contain("20 tokens a prompt and 12 a reply came"));
        Assert.That(run.Output, Does.Match(@"time to first token\D+[\d.]+\D+[\d.]+\D+[\d.]+\D+[\d.]+"));
        Assert.That(run.Output, Does.Contain("between tokens").And.Contain("p99"));
        Assert.That(stub.Requests.Select(request => request.GetProperty("model").GetString()), Is.All.EqualTo("named"));
    }

    [TestCase("chat")]
    [TestCase("completions")]
    public async Task Without_an_address_a_server_of_the_demo_model_is_started(string endpoint)
    {
        var run = await QuiltProcess.Run(
            ["bench", "serve", "--endpoint", endpoint, "--requests", "6", "--streams", "3", "--turns", "2", "--prompt", "80",
            "--shared-prefix", "32", "--reply", "10", "--json", "--threads", "2"]);
        Assert.That((run.ExitCode, run.Errors), Is.EqualTo((0, "")));
        using var json = JsonDocument.Parse(run.Output);
        var root = json.RootElement;
        var seconds = root.GetProperty("seconds").GetDouble();
        Assert.That((root.GetProperty("requests").GetInt32(), root.GetProperty("failures").GetInt32()), Is.EqualTo((6, 0)));
        Assert.That(root.GetProperty("output_tokens_per_second").GetDouble() * seconds, Is.EqualTo(6 * 10).Within(1e-6));
        // Second turns are longer by at least what the user adds.
        Assert.That(root.GetProperty("prompt_tokens_per_second").GetDouble() * seconds, Is.GreaterThan((3 * 80) + (3 * 80)));
    }

    [TestCase("--streams 2 --rate 3", "--streams, --rate: expected one of them at most")]
    [TestCase("--rate 0", "--rate: expected more than 0")]
    [TestCase("--requests 0", "--requests: expected 1 to")]
    [TestCase("--prompt 20 --shared-prefix 20", "--shared-prefix: expected less than --prompt (20), found 20")]
    [TestCase("--url ftp://x", "--url: expected http://HOST:PORT")]
    [TestCase("--url http://127.0.0.1:1 --threads 2", "--threads: expected no --url beside it")]
    [TestCase("--api-key x", "--api-key: expected --url beside it")]
    public async Task Wrong_usage_is_told(string arguments, string complaint)
    {
        var run = await QuiltProcess.Run(["bench", "serve", .. arguments.Split(' ')]);
        Assert.That(run.ExitCode, Is.EqualTo(2), run.Errors);
        Assert.That(run.Complaints.Single(), Does.StartWith($"quilt: {complaint}"));
    }

    [Test]
    public async Task A_server_that_is_not_there_is_one_line()
    {
        var run = await QuiltProcess.Run(["bench", "serve", "--url", "http://127.0.0.1:1"]);
        Assert.That((run.ExitCode, run.Complaints.Length), Is.EqualTo((1, 1)), run.Errors);
        Assert.That(run.Complaints[0], Does.StartWith("quilt: http://127.0.0.1:1/: "));
    }

    [Test]
    public async Task Requests_ask_for_replies_of_the_length_with_distinct_prompts_of_the_length()
    {
        await using var stub = await new BenchServeStub().StartAsync();
        var (result, warnings) = await RunAsync(stub, Load with { SharedPrefix = 10 });
        Assert.That(warnings, Is.Empty);
        Assert.That((result.Requests, result.Failures, result.PromptTokens, result.OutputTokens), Is.EqualTo((12, 0, 12L * 40, 12L * 12)));
        foreach (var request in stub.Requests)
        {
            Assert.That(request.GetProperty("model").GetString(), Is.EqualTo("stub"));
            Assert.That(request.GetProperty("max_tokens").GetInt32(), Is.EqualTo(12));
            Assert.That(request.GetProperty("temperature").GetInt32(), Is.Zero);
            Assert.That(request.GetProperty("ignore_eos").GetBoolean() && request.GetProperty("stream").GetBoolean());
            Assert.That(request.GetProperty("stream_options").GetProperty("include_usage").GetBoolean());
        }
        var words = stub.Requests.Select(BenchServeStub.Words).ToArray();
        Assert.That(words.Select(text => text.Length), Is.All.EqualTo(40 - BenchServeStub.TemplateTokens));
        Assert.That(words.Select(text => string.Join(' ', text.Take(10))).Distinct().Count(), Is.EqualTo(1), "shared");
        Assert.That(words.Select(text => text[10]).Distinct().Count(), Is.EqualTo(12), "and no word more");
    }

    [Test]
    public async Task The_closed_loop_keeps_so_many_running_and_no_more()
    {
        await using var stub = await new BenchServeStub { FirstDelay = 100 }.StartAsync();
        await RunAsync(stub, Load);
        Assert.That(stub.MostRunning, Is.EqualTo(3));
    }

    [Test]
    public async Task The_open_loop_does_not_wait_for_a_slow_server()
    {
        await using var stub = await new BenchServeStub { FirstDelay = 2000 }.StartAsync();
        var (result, _) = await RunAsync(stub, Load with { Rate = 200 });
        Assert.That(stub.MostRunning, Is.EqualTo(12), "all arrive long before the first reply ends");
        Assert.That(result.FirstToken.P50, Is.GreaterThanOrEqualTo(1.9));
    }

    [Test]
    public async Task Times_count_from_when_a_request_was_to_be_sent()
    {
        await using var stub = await new BenchServeStub().StartAsync();
        using var client = new ApiClient(new Uri(stub.Address), null, TimeSpan.FromSeconds(60));
        var form = new RequestForm(LoadEndpoint.Chat, "stub");
        var late = Stopwatch.GetTimestamp() - (7 * Stopwatch.Frequency);
        var reply = await client.AskAsync(form.Path, form.Body(new Conversation(LoadEndpoint.Chat).Ask("a"), 12), late, keepText: true, default);
        Assert.That(reply.Failure, Is.Null);
        Assert.That(reply.FirstToken, Is.GreaterThan(7));
        Assert.That(reply.Whole, Is.GreaterThanOrEqualTo(reply.FirstToken));
        Assert.That(reply.Gaps, Has.Count.EqualTo(11).And.All.LessThan(reply.Whole - 6.9));
        Assert.That(reply.Text, Does.StartWith(" r0 r1").And.EndWith(" r11"));
    }

    [Test]
    public async Task Times_are_those_of_the_server()
    {
        await using var stub = await new BenchServeStub { FirstDelay = 60, ChunkDelay = 15 }.StartAsync();
        var (result, _) = await RunAsync(stub, Load with { Requests = 6 });
        // Timers may be a little early, and a busy machine late: then a token is read late, and the next seems early.
        Assert.That(result.FirstToken.P50, Is.GreaterThanOrEqualTo(0.055));
        Assert.That(LastToken(result), Is.GreaterThanOrEqualTo(0.055 + (11 * 0.013)).And.LessThanOrEqualTo(result.Whole.Mean + 1e-9));
        Assert.That(result.Seconds, Is.GreaterThanOrEqualTo(2 * 0.2), "three at a time, two after each other");
    }

    [Test]
    public async Task Chunks_of_several_tokens_count_by_usage()
    {
        await using var stub = await new BenchServeStub { ChunkTokens = 4, ChunkDelay = 140 }.StartAsync();
        var (result, _) = await RunAsync(stub, Load with { Requests = 3 });
        Assert.That(result.OutputTokens, Is.EqualTo(3 * 12));
        // Three chunks 140 ms apart carry 12 tokens, of which 11 follow the first.
        Assert.That(LastToken(result), Is.GreaterThanOrEqualTo(2 * 0.13).And.LessThanOrEqualTo(result.Whole.Mean + 1e-9));
    }

    /// <summary>When, on the mean, the last of a reply's 12 tokens came: never before it was sent, nor after the reply's end.</summary>
    private static double LastToken(LoadResult result) => result.FirstToken.Mean + (11 * result.BetweenTokens.Mean);

    [Test]
    public async Task Conversations_grow_by_the_replies([Values] bool chat)
    {
        var endpoint = chat ? LoadEndpoint.Chat : LoadEndpoint.Completions;
        await using var stub = await new BenchServeStub().StartAsync();
        var (result, _) = await RunAsync(stub, Load with { Requests = 8, Streams = 1, Turns = 3, SharedPrefix = 4, Endpoint = endpoint });
        Assert.That((result.Requests, result.Failures), Is.EqualTo((8, 0)));
        var texts = stub.Requests.Select(Said).ToArray();
        for (var i = 0; i < texts.Length; i++)
        {
            var turn = i % 3;
            var template = chat ? BenchServeStub.TemplateTokens : 0;
            var replied = texts[i].Split(' ', '|').Count(word => word.StartsWith('r') && word.Length > 1 && char.IsDigit(word[1]));
            Assert.That(replied, Is.EqualTo(12 * turn));
            if (turn > 0) Assert.That(texts[i], Does.StartWith(texts[i - 1]));
            if (turn == 1)
            {
                var added = texts[i][texts[i - 1].Length..].Split([' ', '|'], StringSplitOptions.RemoveEmptyEntries);
                Assert.That(added, Has.Length.EqualTo(12 + 40 - 4 - template), "the reply and as much as the first turn had for itself");
            }
        }
    }

    [Test]
    public async Task A_failed_turn_does_not_end_its_conversation()
    {
        await using var stub = await new BenchServeStub { Mishap = i => i == 1 ? "status" : null }.StartAsync();
        var (result, _) = await RunAsync(stub, Load with { Requests = 3, Streams = 1, Turns = 3 });
        Assert.That((result.Requests, result.Failures), Is.EqualTo((3, 1)));
        Assert.That(stub.Requests.Select(request => request.GetProperty("messages").GetArrayLength()), Is.EqualTo(new[] { 1, 3, 3 }));
    }

    [TestCase("status", "status 503: The server is full.")]
    [TestCase("abort", "broken stream: ")]
    [TestCase("end", "broken stream: it ended before the reply did")]
    [TestCase("error", "error in the stream: The engine has failed.")]
    [TestCase("garbage", "broken stream: expected JSON")]
    [TestCase("hang", "no end within 3 s")]
    public async Task Failures_are_counted_by_reason(string mishap, string reason)
    {
        await using var stub = await new BenchServeStub { Mishap = i => i is 1 or 2 ? mishap : null }.StartAsync();
        var (result, _) = await RunAsync(stub, Load, timeout: mishap == "hang" ? 3 : 60);
        Assert.That((result.Requests, result.Failures, result.OutputTokens), Is.EqualTo((12, 2, 10L * 12)));
        Assert.That(result.Reasons.Select(found => found.Reason), Is.All.StartsWith(reason));
        Assert.That(LoadReport.Failed(result), Does.StartWith("2 of 12 requests failed: "));
    }

    [Test]
    public async Task Without_tokenize_the_usage_tells_the_length()
    {
        await using var stub = await new BenchServeStub { HasTokenize = false, WordTokens = 2 }.StartAsync();
        var (result, warnings) = await RunAsync(stub, Load);
        Assert.That(warnings, Is.Empty);
        Assert.That(result.PromptTokens, Is.EqualTo(12 * 40));
        await using var silent = await new BenchServeStub { HasTokenize = false, HasUsage = false }.StartAsync();
        (result, warnings) = await RunAsync(silent, Load);
        Assert.That(warnings.Single(), Does.Contain("tells no counts"));
        Assert.That((result.PromptTokens, result.OutputTokens), Is.EqualTo((12L * 40, 12L * 12)));
    }

    [Test]
    public async Task A_server_that_refuses_ignore_eos_is_asked_without()
    {
        await using var stub = await new BenchServeStub { KnowsIgnoreEos = false }.StartAsync();
        var (result, warnings) = await RunAsync(stub, Load);
        Assert.That(warnings.Single(), Does.Contain("ignore_eos"));
        Assert.That(result.Failures, Is.Zero);
        Assert.That(stub.Requests.Select(request => request.TryGetProperty("ignore_eos", out _)), Is.All.False);
    }

    [Test]
    public async Task A_prompt_shorter_than_the_template_is_told()
    {
        await using var stub = await new BenchServeStub().StartAsync();
        var (_, warnings) = await RunAsync(stub, Load with { Prompt = 3 });
        Assert.That(warnings.Single(), Does.StartWith("prompts have 6 tokens: 3 cannot be hit"));
        Assert.That(async () => await RunAsync(stub, Load with { SharedPrefix = 35 }), Throws.TypeOf<Quilt.Cli.UsageException>()
            .With.Message.StartsWith("--shared-prefix: expected at most 34"));
    }

    private static async Task<(LoadResult Result, List<string> Warnings)> RunAsync(BenchServeStub stub, LoadOptions options, double timeout = 60)
    {
        var warnings = new List<string>();
        using var client = new ApiClient(new Uri(stub.Address), null, TimeSpan.FromSeconds(timeout));
        var (form, plan) = await new ServerProbe(client, options, warnings.Add).LookAsync(null, default);
        return (await new LoadRun(client, form, plan, options).RunAsync(default), warnings);
    }

    private static string Said(JsonElement request) => request.TryGetProperty("messages", out var messages)
        ? string.Join('|', messages.EnumerateArray().Select(message => message.GetProperty("content").GetString()))
        : request.GetProperty("prompt").GetString()!;
}
