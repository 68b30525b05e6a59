using System.Diagnostics;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Quilt.Tests.Hosting.Security;

/// <summary>
/// Part A of the security list, how requests travel: bytes on a socket that no HTTP client would send. The times are cut to a second or two; that the
/// usual ones are set is looked at where they are set.
/// </summary>
public sealed class TransportTests
{
    private const string Post = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    private const string Good = """{"messages": [{"role": "user", "content": "Hi."}], "max_tokens": 1}""";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(12);
    private GuardedServer server = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => server = await GuardedServer.StartAsync(
        options => (options.MaxBodyBytes, options.BodyTime) = (1 << 20, TimeSpan.FromSeconds(2)),
        kestrel: kestrel =>
        {
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(1);
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(2);
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(240, TimeSpan.FromSeconds(1.5));
        });

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await server.IdleAsync();
        await server.DisposeAsync();
    }

    [TearDown]
    public async Task Answers_the_next_request() => Assert.That((await server.PostAsync("/v1/chat/completions", Good)).Status, Is.EqualTo(200));

    // CVE-2025-48956.
    [TestCase("a header of 64 KiB", 431)]
    [TestCase("a header of 16 MiB", 431)]
    [TestCase("300 headers", 431)]
    [TestCase("a line of 16 KiB", 414)]
    [TestCase("a line of 16 MiB", 414)]
    [TestCase("a query of 16 KiB", 414)]
    public async Task Enormous_heads_are_refused(string what, int status)
    {
        var head = what switch
        {
            "a header of 64 KiB" => $"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX: {new string('x', 1 << 16)}\r\n\r\n",
            "a header of 16 MiB" => $"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX: {new string('x', 1 << 24)}\r\n\r\n",
            "300 headers" => "GET /v1/models HTTP/1.1\r\nHost: localhost\r\n" +
                $"{string.Concat(Enumerable.Range(0, 300).Select(i => $"X{i}: 1\r\n"))}\r\n",
            "a line of 16 KiB" => $"GET /{new string('x', 1 << 14)} HTTP/1.1\r\nHost: localhost\r\n\r\n",
            "a line of 16 MiB" => $"GET /{new string('x', 1 << 24)} HTTP/1.1\r\nHost: localhost\r\n\r\n",
            _ => $"GET /v1/models?{new string('x', 1 << 14)} HTTP/1.1\r\nHost: localhost\r\n\r\n",
        };
        await using var connection = await server.ConnectAsync();
        await connection.SendAsync(head);
        var answer = await connection.ReadAsync();
        // What is still being sent when the server closes may take its answer with it.
        Assert.That(answer.Status, Is.EqualTo(status).Or.Zero);
        Assert.That(await connection.IsClosedAsync(Patience));
    }

    [TestCase("Host: localhost\r\nHost: evil.com\r\n"), TestCase(""), TestCase("Host: local host\r\n"), TestCase("Host: localhost\r\nX : 1\r\n")]
    [TestCase("Host: localhost\r\nX: a\0b\r\n"), TestCase("Host: localhost\r\n folded\r\n"), TestCase("Host: localhost\r\nno colon\r\n")]
    [TestCase("Host: localhost\r\nContent-Length: -1\r\n"), TestCase("Host: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n")]
    [TestCase("Host: localhost\r\nContent-Length: 5, 5\r\n"), TestCase("Host: localhost\r\nContent-Length: 99999999999999999999\r\n")]
    [TestCase("Host: localhost\r\nContent-Length: 0x10\r\n"), TestCase("Host: localhost\r\nTransfer-Encoding: gzip\r\n")]
    [TestCase("Host: localhost\r\nTransfer-Encoding: chunked, identity\r\n"), TestCase("Host: localhost\r\nTransfer-Encoding: xchunked\r\n")]
    public async Task Damaged_heads_are_refused(string headers)
    {
        var answer = await server.SendAsync($"POST /v1/chat/completions HTTP/1.1\r\n{headers}Content-Type: application/json\r\n\r\n");
        Assert.That(answer.Status, Is.EqualTo(400).Or.EqualTo(411).Or.EqualTo(413).Or.EqualTo(501));
    }

    [TestCase("\0\0\0\0\r\n\r\n"), TestCase("GET\r\n\r\n"), TestCase("GET / HTTP/9.9\r\n\r\n"), TestCase("GET /v1/models\r\n\r\n"),
        TestCase("\x16\x03\x01\x02\x00\x01")]
    [TestCase("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x04\xff"), TestCase("GET /\x7f HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        TestCase("G\xe9T / HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [TestCase("CONNECT localhost:22 HTTP/1.1\r\nHost: localhost:22\r\n\r\n"), TestCase("TRACE /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [TestCase("GET ../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n"), TestCase("GET /%00%ff%c0%af HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    public async Task What_is_no_request_gets_no_answer_but_a_refusal(string bytes)
    {
        await using var connection = await server.ConnectAsync();
        await connection.SendAsync(bytes);
        connection.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        var answer = await connection.ReadAsync();
        Assert.That(answer.Status, Is.Not.InRange(200, 399).And.Not.EqualTo(500));
    }

    [Test]
    public async Task A_head_that_does_not_end_is_given_up()
    {
        await using var silent = await server.ConnectAsync();
        await using var slow = await server.ConnectAsync();
        await slow.SendAsync("GET /v1/models HTTP/1.1\r\nHost: localhost\r\n");
        var dribble = DribbleAsync(slow, "X: y\r\n", 200);
        Assert.That(await slow.IsClosedAsync(Patience));
        Assert.That(await silent.IsClosedAsync(Patience));
        await dribble;
    }

    [Test]
    public async Task A_body_of_a_gigabyte_is_refused_before_it_comes()
    {
        var clock = Stopwatch.StartNew();
        var answer = await server.SendAsync($"{Post}Content-Length: 1073741824\r\n\r\n");
        Assert.That(answer.Status, Is.EqualTo(413));
        Assert.That(clock.ElapsedMilliseconds, Is.LessThan(2000));
        Assert.That((await server.SendAsync($"{Post}Content-Length: 1073741824\r\nExpect: 100-continue\r\n\r\n")).Status, Is.EqualTo(413));
    }

    [Test]
    public async Task Chunks_without_end_are_refused_when_they_are_too_many()
    {
        await using var connection = await server.ConnectAsync();
        await connection.SendAsync($"{Post}Transfer-Encoding: chunked\r\n\r\n");
        var chunk = Encoding.ASCII.GetBytes($"10000\r\n{new string(' ', 1 << 16)}\r\n");
        for (var i = 0; i < 20; i++) await connection.SendAsync(chunk);
        Assert.That((await connection.ReadAsync()).Status, Is.EqualTo(413));
    }

    [TestCase("Content-Length: 1000\r\n\r\n{", TestName = "Body_less_than_announced")]
    [TestCase("Content-Length: 1000\r\n\r\n", TestName = "Body_missing")]
    [TestCase("Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", TestName = "Body_chunks_stop")]
    [TestCase("Transfer-Encoding: chunked\r\n\r\n", TestName = "Body_chunks_missing")]
    public async Task A_body_that_does_not_come_is_given_up(string rest)
    {
        var clock = Stopwatch.StartNew();
        await using var connection = await server.ConnectAsync();
        Assert.That((await connection.AskAsync(Post + rest)).Status, Is.EqualTo(408));
        Assert.That(clock.Elapsed, Is.LessThan(Patience));
        Assert.That(await connection.IsClosedAsync(Patience));
    }

    [Test]
    public async Task A_body_that_dribbles_is_given_up()
    {
        await using var connection = await server.ConnectAsync();
        await connection.SendAsync($"{Post}Content-Length: 100000\r\n\r\n");
        var dribble = DribbleAsync(connection, " ", 60);
        Assert.That((await connection.ReadAsync()).Status, Is.EqualTo(408));
        await dribble;
    }

    [TestCase("Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", 400)]
    [TestCase("Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n", 400)]
    [TestCase("Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n", 400)]
    [TestCase("Transfer-Encoding: chunked\r\n\r\n2\r\n{}xx0\r\n\r\n", 400)]
    [TestCase("Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00", 415)]
    [TestCase("Content-Encoding: br\r\nContent-Length: 4\r\n\r\nabcd", 415)]
    [TestCase("Content-Encoding: identity, gzip\r\nContent-Length: 4\r\n\r\nabcd", 415)]
    [TestCase("Content-Length: 0\r\n\r\n", 400)]
    public async Task A_damaged_body_is_refused(string rest, int status) =>
        Assert.That((await server.SendAsync(Post + rest)).Status, Is.EqualTo(status));

    // What comes behind a body is another request, or none: nothing of it is smuggled past the first.
    [Test]
    public async Task A_length_and_chunks_together_smuggle_nothing()
    {
        await using var connection = await server.ConnectAsync();
        var first = await connection.AskAsync($"{Post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
            "GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Assert.That(first.Status, Is.EqualTo(400));
        // Chunks count (RFC 9112 §6.3): the body is empty, and what follows a request of its own.
        var second = await connection.ReadAsync();
        Assert.That(second.Status, Is.EqualTo(200).Or.Zero);
    }

    [Test]
    public async Task More_than_announced_is_no_request()
    {
        await using var connection = await server.ConnectAsync();
        var first = await connection.AskAsync($"{Post}Content-Length: 2\r\n\r\n{{}}garbage\r\n\r\n");
        Assert.That(first.Status, Is.EqualTo(400));
        Assert.That((await connection.ReadAsync()).Status, Is.EqualTo(400).Or.Zero);
    }

    [Test]
    public async Task Requests_in_a_row_are_answered_in_their_order()
    {
        await using var connection = await server.ConnectAsync();
        const string Two = "GET /version HTTP/1.1\r\nHost: localhost\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n";
        for (var i = 0; i < 20; i++) await connection.SendAsync(Two);
        for (var i = 0; i < 20; i++) Assert.That(((await connection.ReadAsync()).Status, (await connection.ReadAsync()).Status),
            Is.EqualTo((200, 404)));
    }

    [Test]
    public async Task An_idle_connection_is_closed()
    {
        await using var connection = await server.ConnectAsync();
        await connection.AskAsync("GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Assert.That(await connection.IsClosedAsync(Patience));
    }

    [Test]
    public async Task Connections_have_a_number()
    {
        await using var small = await GuardedServer.StartAsync(kestrel: kestrel => kestrel.Limits.MaxConcurrentConnections = 3);
        var open = new List<RawConnection>();
        for (var i = 0; i < 3; i++) open.Add(await small.ConnectAsync());
        foreach (var one in open) Assert.That((await one.AskAsync("GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n")).Status, Is.EqualTo(200));
        await using var more = await small.ConnectAsync();
        Assert.That((await more.AskAsync("GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n")).Status, Is.Zero);
        foreach (var one in open) await one.DisposeAsync();
    }

    [Test]
    public void The_usual_limits_are_set()
    {
        var kestrel = new KestrelServerOptions();
        Quilt.Hosting.Http.QuiltKestrel.Configure(kestrel, new() { MaxBodyBytes = 12345 });
        var limits = kestrel.Limits;
        Assert.Multiple(() =>
        {
            Assert.That(kestrel.AddServerHeader, Is.False);
            Assert.That(limits.MaxRequestBodySize, Is.EqualTo(12345));
            Assert.That(limits.MaxRequestHeadersTotalSize, Is.LessThanOrEqualTo(32 << 10));
            Assert.That(limits.MaxRequestHeaderCount, Is.LessThanOrEqualTo(256));
            Assert.That(limits.MaxRequestLineSize, Is.LessThanOrEqualTo(8 << 10));
            Assert.That(limits.RequestHeadersTimeout, Is.LessThanOrEqualTo(TimeSpan.FromSeconds(30)));
            Assert.That(limits.KeepAliveTimeout, Is.LessThanOrEqualTo(TimeSpan.FromMinutes(2)));
            Assert.That(limits.MinRequestBodyDataRate, Is.Not.Null);
            Assert.That(limits.MinResponseDataRate, Is.Not.Null);
            Assert.That(limits.MaxConcurrentConnections, Is.Not.Null);
        });
    }

    private static async Task DribbleAsync(RawConnection connection, string part, int times)
    {
        for (var i = 0; i < times; i++)
        {
            await connection.SendAsync(part);
            await Task.Delay(100);
        }
    }
}
