using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Quilt.Runtime;

namespace Quilt.Tests.Hosting.Security;

/// <summary>
/// Parts A (CVE-2026-9540) and F of the security list: clients that go away, read slowly or ask for everything, and what becomes of the others. Not
/// here: health (EngineHealthTests), tool calls with stream_interval and finish_reason (the cases of the API), preemption, priorities and repetition
/// (tests of the scheduler and of sampling), SIGTERM and kill -9 (<c>quilt serve</c>); disk caches and resets of a GPU there are none to test.
/// </summary>
public sealed class ClientGoneTests
{
    private GuardedServer server = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => server = await GuardedServer.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await server.DisposeAsync();

    // Long enough that none of them would have ended by itself before it is looked at.
    private static byte[] Request(bool stream, int n, int promptWords) => Encoding.UTF8.GetBytes($$"""
        {"messages": [{"role": "user",
            "content": {{JsonSerializer.Serialize($"{Guid.NewGuid()} {HostileRequest.Times("tell me more of it ", promptWords)}")}}}],
        "max_tokens": 3000, "min_tokens": 3000, "ignore_eos": true, "temperature": 1, "n": {{n}}, "stream": {{(stream ? "true" : "false")}}}
        """);

    [TestCase("reset", true, 1), TestCase("reset", true, 4), TestCase("reset", false, 1), TestCase("reset", false, 4)]
    [TestCase("close", true, 1), TestCase("close", true, 4), TestCase("close", false, 4)]
    [TestCase("half", true, 1), TestCase("half", false, 1)]
    public async Task A_client_that_goes_away_frees_its_blocks(string how, bool stream, int n)
    {
        await using var connection = await SendAsync(Request(stream, n, 1));
        if (stream)
        {
            Assert.That(await connection.ReadHeadAsync(), Does.StartWith("HTTP/1.1 200"));
            for (var i = 0; i < 20; i++) await connection.ReadLineAsync();
        }
        else await UntilAsync(() => server.Engine.Snapshot().Running == n);
        Assert.That(server.Engine.Snapshot().BlocksUsed, Is.Positive);
        var before = server.Engine.Snapshot().GeneratedTokens;
        Leave(connection, how);
        await server.IdleAsync(5);
        Assert.That(server.Engine.Snapshot().GeneratedTokens - before, Is.LessThan(2900 * n), "it went on to its end");
    }

    [Test]
    public async Task A_client_that_goes_away_while_its_prompt_is_read_frees_its_blocks([Values("reset", "close")] string how, [Values(1, 3)] int n)
    {
        var steps = server.Engine.Snapshot().Steps;
        await using var connection = await SendAsync(Request(true, n, 200));
        await UntilAsync(() => server.Engine.Snapshot() is var now && (now.Running > 0 || now.Steps > steps));
        Leave(connection, how);
        await server.IdleAsync(5);
    }

    [Test]
    public async Task A_client_that_goes_away_while_it_sends_leaves_nothing()
    {
        var body = Request(true, 1, 50_000);
        foreach (var part in (int[])[0, 1, 1000, 200_000, body.Length - 1])
        {
            await using var connection = await server.ConnectAsync();
            await connection.SendAsync("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
                $"Content-Length: {body.Length}\r\n\r\n");
            await connection.SendAsync(body.AsMemory(0, part));
            await Task.Delay(20);
            connection.Reset();
        }
        await server.IdleAsync(5);
    }

    [Test]
    public async Task A_client_that_does_not_read_is_dropped([Values] bool stream)
    {
        await using var slow = await GuardedServer.StartAsync(options => options.SendTime = TimeSpan.FromSeconds(2));
        await using var connection = await slow.ConnectAsync(receiveBuffer: 1 << 12);
        var body = Encoding.UTF8.GetBytes($$"""
            {"messages": [{"role": "user", "content": "a"}], "max_tokens": 600, "min_tokens": 600, "ignore_eos": true, "n": 8, "temperature": 1,
            "stream": {{(stream ? "true" : "false")}}, "logprobs": true, "top_logprobs": 20}
            """);
        await connection.PostAsync("/v1/chat/completions", body);
        var clock = Stopwatch.StartNew();
        await UntilAsync(() => slow.Load == 1, 10);
        await UntilAsync(() => slow.Load == 0, 60);
        TestContext.Out.WriteLine($"dropped after {clock.Elapsed.TotalSeconds:0.0} s, {slow.Engine.Snapshot().GeneratedTokens} tokens");
        await slow.IdleAsync(5);
        var answer = await connection.ReadAsync();
        Assert.That(answer.Body, Does.Not.Contain("[DONE]").And.Not.Contain("\"usage\""), "all of it was taken");
    }

    // Slot capture: those who take as much as there is leave others their turn.
    [Test]
    public async Task Requests_that_ask_for_everything_do_not_starve_a_small_one()
    {
        var greedy = new List<RawConnection>();
        for (var i = 0; i < 16; i++) greedy.Add(await SendAsync(Request(true, 2, 5)));
        await UntilAsync(() => server.Engine.Snapshot().Running >= 16, 30);
        var clock = Stopwatch.StartNew();
        var answer = await server.PostAsync("/v1/chat/completions", """{"messages": [{"role": "user", "content": "Hi."}], "max_tokens": 3}""");
        TestContext.Out.WriteLine($"answered after {clock.ElapsedMilliseconds} ms beside {server.Engine.Snapshot().Running} others");
        Assert.That(answer.Status, Is.EqualTo(200));
        Assert.That(clock.Elapsed, Is.LessThan(TimeSpan.FromSeconds(10)));
        foreach (var one in greedy) one.Reset();
        await server.IdleAsync();
    }

    [Test]
    public async Task A_bad_request_harms_no_other_of_its_step()
    {
        const string Good = """{"prompt": "Once upon a time", "max_tokens": 24, "temperature": 0, "ignore_eos": true}""";
        var alone = Text(await server.PostAsync("/v1/completions", Good));
        var good = Enumerable.Range(0, 6).Select(_ => server.PostAsync("/v1/completions", Good)).ToArray();
        var bad = Enumerable.Range(0, 12).Select(i => server.PostAsync("/v1/completions",
            $$"""{"prompt": [{{(i % 2 == 0 ? "99999" : "-1")}}], "max_tokens": 24, "structured_outputs": {"regex": "((("} }""")).ToArray();
        foreach (var one in bad) Assert.That((await one).Status, Is.EqualTo(400));
        foreach (var one in good) Assert.That(Text(await one), Is.EqualTo(alone));
    }

    // Stuck waiting: what can never fit is refused when it comes.
    [Test]
    public async Task A_request_that_can_never_fit_is_refused_at_once()
    {
        await using var small = await GuardedServer.StartAsync(engine: new EngineOptions { Threads = 2,
            KvMemory = 64 * server.Engine.Memory.TokenBytes });
        var clock = Stopwatch.StartNew();
        var answer = await small.PostAsync("/v1/completions", $$"""{"prompt": "{{HostileRequest.Times("word ", 500)}}", "max_tokens": 5}""");
        Assert.That((answer.Status, answer.Body), Is.EqualTo((400, answer.Body)).And.Matches<(int,
            string Body)>(one => one.Body.Contains("maximum context length")));
        Assert.That(clock.Elapsed, Is.LessThan(TimeSpan.FromSeconds(2)));
        Assert.That((await small.PostAsync("/v1/completions", """{"prompt": "word", "max_tokens": 100000}""")).Status, Is.EqualTo(200));
    }

    // NaN logits and whatever else fails while it runs: 500 in plain words, no silent garbage.
    [Test]
    public async Task A_request_that_fails_says_so_and_tells_no_more([Values] bool stream, [Values] bool wholeEngine)
    {
        var reply = new ScriptedReply("I think of it.")
        {
            FailAfter = 3, FailsEngine = wholeEngine, Failure = new InvalidOperationException("NaN at 0x7f12 in /opt/quilt/kernels.so"),
        };
        await using var broken = await GuardedServer.StartAsync(script: new Script(reply));
        var answer = await broken.PostAsync("/v1/chat/completions",
            $$"""{"messages": [{"role": "user", "content": "Hi."}], "stream": {{(stream ? "true" : "false")}}}""");
        Assert.That(answer.Status, Is.EqualTo(stream ? 200 : wholeEngine ? 503 : 500));
        Assert.That(answer.Body, Does.Contain("InternalServerError").And.Not.Contain("NaN").And.Not.Contain("/opt").And.Not.Contain("0x7f"));
        if (stream) Assert.That(answer.Body, Does.EndWith("data: [DONE]\n\n"));
    }

    // Idle CPU. The runtime compiles what the tests before used, for a while.
    [Test]
    public async Task Nobody_asks_and_nothing_is_burnt()
    {
        await server.PostAsync("/v1/completions", """{"prompt": "Once", "max_tokens": 4}""");
        await server.IdleAsync();
        var least = TimeSpan.MaxValue;
        for (var i = 0; i < 15 && least > TimeSpan.FromMilliseconds(50); i++)
        {
            using var own = Process.GetCurrentProcess();
            var before = own.TotalProcessorTime;
            await Task.Delay(1000);
            own.Refresh();
            var used = own.TotalProcessorTime - before;
            if (used < least) least = used;
        }
        TestContext.Out.WriteLine($"{least.TotalMilliseconds:0} ms of processor time in a second");
        Assert.That(least, Is.LessThan(TimeSpan.FromMilliseconds(50)));
    }

    private static string Text(RawAnswer answer)
    {
        using var read = JsonDocument.Parse(answer.Body);
        return read.RootElement.GetProperty("choices")[0].GetProperty("text").GetString()!;
    }

    private static void Leave(RawConnection connection, string how)
    {
        if (how == "reset") connection.Reset();
        else if (how == "half") connection.Socket.Shutdown(SocketShutdown.Send);
        else connection.Socket.Dispose();
    }

    private async Task<RawConnection> SendAsync(byte[] body)
    {
        var connection = await server.ConnectAsync();
        await connection.PostAsync("/v1/chat/completions", body);
        return connection;
    }

    private static async Task UntilAsync(Func<bool> isSo, int seconds = 10)
    {
        for (var i = 0; i < seconds * 200 && !isSo(); i++) await Task.Delay(5);
        Assert.That(isSo(), $"not within {seconds} s");
    }
}
