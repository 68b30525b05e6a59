using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Quilt.Tests.Hosting.Security;

/// <summary>
/// Part A of the security list on a real socket: each request gets its refusal, in time and in few words, and the server answers the next one. How
/// requests travel (headers, slow and endless bodies, compression) is with <see cref="TransportTests"/>, streams and clients that go away with
/// <see cref="ClientGoneTests"/>.
/// </summary>
public sealed class HostileRequestTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);
    private GuardedServer server = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        server = await GuardedServer.StartAsync();
        await AskGoodAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await AskGoodAsync();
        await server.IdleAsync();
        await server.DisposeAsync();
    }

    [Test]
    public async Task Numbers_have_ranges() => await TryAllAsync(HostileRequests.OfNumbers());

    [Test]
    public async Task Lists_have_bounds() => await TryAllAsync(HostileRequests.OfLists());

    [Test]
    public async Task Parts_that_are_no_text_are_refused_by_name() => await TryAllAsync(HostileRequests.OfForeignParts());

    [Test]
    public async Task Templates_get_variables_and_nothing_else() => await TryAllAsync(HostileRequests.OfTemplates());

    [Test]
    public async Task What_is_no_JSON_is_refused_in_few_words() => await TryAllAsync(HostileRequests.OfJson());

    [Test]
    public async Task Schemas_are_compiled_within_bounds_or_refused() => await TryAllAsync(HostileForms.OfSchemas());

    [Test]
    public async Task Grammars_are_compiled_within_bounds_or_refused() => await TryAllAsync(HostileForms.OfGrammars());

    // CVE-2025-6242.
    [Test]
    public async Task Nothing_is_fetched()
    {
        using var trap = new TcpListener(IPAddress.Loopback, 0);
        trap.Start();
        var url = $"http://127.0.0.1:{((IPEndPoint)trap.LocalEndpoint).Port}/x.png";
        string[] bodies =
        [
            $$$"""{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "{{{url}}}"}}]}]}""",
            $$$"""{"messages": [{"role": "user", "content": "{{{url}}}"}], "max_tokens": 1}""",
            WithSchema($$$"""{"$ref": "{{{url}}}"}"""),
            $$$"""{"messages": [{"role": "user", "content": "a"}], "max_tokens": 1, "documents": [{"url": "{{{url}}}"}]}""",
        ];
        foreach (var body in bodies) await server.PostAsync("/v1/chat/completions", body);
        Assert.That(trap.Pending(), Is.False);
    }

    // CVE-2025-29770, CVE-2025-32381: what is compiled is kept within bounds.
    [Test]
    public async Task Many_schemas_do_not_pile_up()
    {
        long before = 0;
        for (var i = 0; i < 400; i++)
        {
            if (i == 100) before = GC.GetTotalMemory(forceFullCollection: true);
            var body = WithSchema($$"""
                {"type": "object", "properties": {"field{{i}}": {"type": "string", "pattern": "^[a-z]{1,{{i % 9 + 1}}}x{{i}}$"} } }
                """);
            Assert.That((await server.PostAsync("/v1/chat/completions", body)).Status, Is.EqualTo(200));
        }
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        TestContext.Out.WriteLine($"300 schemas: {grown / 300:#,0} bytes each");
        Assert.That(grown, Is.LessThan(512 << 20));
    }

    // CVE-2025-62426: a prompt of megabytes, and schemas that take long, keep nobody from small requests.
    [Test]
    public async Task Large_requests_do_not_keep_small_ones_waiting()
    {
        var text = JsonSerializer.Serialize(HostileRequest.Times("lorem ipsum dolor ", 200_000));
        var large = Enumerable.Range(0, 12).Select(i => server.PostAsync(i % 2 == 0 ? "/v1/completions" : "/tokenize",
            $$"""{"prompt": {{text}}, "max_tokens": 1, "truncate_prompt_tokens": 5, "add_special_tokens": true}""")).ToArray();
        var slowest = TimeSpan.Zero;
        while (!large.All(one => one.IsCompleted))
        {
            var clock = Stopwatch.StartNew();
            await AskGoodAsync();
            if (clock.Elapsed > slowest) slowest = clock.Elapsed;
        }
        TestContext.Out.WriteLine($"slowest small request: {slowest.TotalMilliseconds:0} ms");
        foreach (var answer in large) Assert.That((await answer).Status, Is.EqualTo(200).Or.EqualTo(400).Or.EqualTo(503));
        Assert.That(slowest, Is.LessThan(Longest));
        await server.IdleAsync();
    }

    private static string WithSchema(string schema) => """{"messages": [{"role": "user", "content": "a"}], "max_tokens": 1, "response_format": """ +
        $$"""{"type": "json_schema", "json_schema": {"schema": {{schema}} } } }""";

    private async Task TryAllAsync(IEnumerable<HostileRequest> requests)
    {
        var (tried, slowest, name) = (0, TimeSpan.Zero, "");
        await using var connection = await server.ConnectAsync();
        foreach (var request in requests)
        {
            var body = request.Body();
            var (answer, time) = await TryAsync(connection, request, body);
            // The machine may have been busy with something else.
            for (var i = 0; i < 2 && time > Longest; i++) (answer, time) = await TryAsync(connection, request, body);
            if (time > slowest) (slowest, name) = (time, request.Name);
            tried++;
            Assert.Multiple(() =>
            {
                Assert.That(request.Good, Does.Contain(answer.Status), $"{request.Name}: {answer.Status} {answer.Body}");
                Assert.That(time, Is.LessThan(Longest), request.Name);
                if (answer.Status != 200) IsQuiet(request, answer);
            });
        }
        await AskGoodAsync();
        TestContext.Out.WriteLine($"{tried} tried; slowest {slowest.TotalMilliseconds:0} ms: {name}");
    }

    private static async Task<(RawAnswer Answer, TimeSpan Time)> TryAsync(RawConnection connection, HostileRequest request, byte[] body)
    {
        var start = Stopwatch.GetTimestamp();
        await connection.PostAsync(request.Path, body);
        return (await connection.ReadAsync(), Stopwatch.GetElapsedTime(start));
    }

    // Few words, none of a long text told again, and nothing of the host.
    private static void IsQuiet(HostileRequest request, RawAnswer answer)
    {
        Assert.That(answer.Body, Has.Length.LessThan(2000), request.Name);
        Assert.That(answer.Body, Does.Not.Match("xxx{250}|kkk{250}|(\\.\\./){80}"), request.Name);
        Assert.That(answer.Body,
            Does.Not.Contain(DemoHost.Folder).And.Not.Contain("   at ").And.Not.Contain("Exception").And.Not.Match("0x[0-9a-f]{6}"), request.Name);
        using var read = JsonDocument.Parse(answer.Body);
        Assert.That(read.RootElement.GetProperty("error").GetProperty("code").GetInt32(), Is.EqualTo(answer.Status), request.Name);
    }

    private async Task AskGoodAsync()
    {
        var answer = await server.PostAsync("/v1/chat/completions", """{"messages": [{"role": "user", "content": "Hi."}], "max_tokens": 1}""");
        Assert.That(answer.Status, Is.EqualTo(200), answer.Body);
    }
}
