using Quilt.Hosting;

namespace Quilt.Tests.Hosting.Security;

/// <summary>What pages in a browser may do with a server on the same machine (list E: CORS and DNS rebinding, CVE-2024-28224).</summary>
public sealed class BrowserTests
{
    private const string Chat = """{"messages": [{"role": "user", "content": "Hi."}], "max_tokens": 1}""";
    private GuardedServer open = null!;
    private GuardedServer named = null!;
    private GuardedServer keyed = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        open = await GuardedServer.StartAsync();
        named = await GuardedServer.StartAsync(options =>
        {
            options.AllowedHosts.Add("quilt.lan");
            options.AllowedHosts.Add("*.example.org");
            options.AllowedOrigins.Add("https://app.example.org/");
        });
        keyed = await GuardedServer.StartAsync(options => options.ApiKeys.Add("sk-page"));
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await open.DisposeAsync();
        await named.DisposeAsync();
        await keyed.DisposeAsync();
    }

    [TestCase("localhost", 200)]
    [TestCase("localhost:8000", 200)]
    [TestCase("LOCALHOST.", 200)]
    [TestCase("quilt.localhost", 200)]
    [TestCase("127.0.0.1:8000", 200)]
    [TestCase("127.8.8.8", 200)]
    [TestCase("[::1]:8000", 200)]
    [TestCase("192.168.1.20:8000", 200)]
    [TestCase("evil.com", 403)]
    [TestCase("evil.com:8000", 403)]
    [TestCase("localhost.evil.com", 403)]
    [TestCase("127.0.0.1.evil.com", 403)]
    [TestCase("evillocalhost", 403)]
    [TestCase("quilt.lan", 403)]
    public async Task A_name_that_may_have_been_rebound_is_refused(string host, int status)
    {
        Assert.That((await GetAsync(open, "/v1/models", $"Host: {host}\r\n")).Status, Is.EqualTo(status));
        Assert.That((await GetAsync(open, "/health", $"Host: {host}\r\n")).Status, Is.EqualTo(status));
    }

    [TestCase("quilt.lan", 200)]
    [TestCase("Quilt.LAN:8000", 200)]
    [TestCase("a.example.org", 200)]
    [TestCase("a.b.example.org:1", 200)]
    [TestCase("example.org", 403)]
    [TestCase("evilexample.org", 403)]
    public async Task Names_of_the_options_are_good(string host, int status) =>
        Assert.That((await GetAsync(named, "/v1/models", $"Host: {host}\r\n")).Status, Is.EqualTo(status));

    [Test]
    public async Task With_keys_any_name_is_good_for_those_who_have_one()
    {
        Assert.That((await GetAsync(keyed, "/v1/models", "Host: any.where\r\nx-api-key: sk-page\r\n")).Status, Is.EqualTo(200));
        Assert.That((await GetAsync(keyed, "/v1/models", "Host: any.where\r\n")).Status, Is.EqualTo(401));
    }

    [TestCase("http://localhost:8000", 200)]
    [TestCase("https://localhost:8000", 200)]
    [TestCase("http://localhost", 403)]
    [TestCase("http://evil.com", 403)]
    [TestCase("http://localhost:8000.evil.com", 403)]
    [TestCase("http://evil.com/http://localhost:8000", 403)]
    [TestCase("null", 403)]
    [TestCase("file://", 403)]
    [TestCase("localhost:8000", 403)]
    [TestCase("https://app.example.org", 403)]
    public async Task A_page_of_another_origin_is_refused(string origin, int status)
    {
        var answer = await open.PostAsync("/v1/chat/completions", Chat, $"Origin: {origin}\r\n".Replace("localhost:8000", "localhost"));
        var same = await open.SendAsync($"GET /v1/models HTTP/1.1\r\nHost: localhost:8000\r\nOrigin: {origin}\r\n\r\n");
        Assert.That(same.Status, Is.EqualTo(status));
        Assert.That(answer.Header("Access-Control-Allow-Origin"), Is.Null, "CORS is off");
        Assert.That(same.Header("Access-Control-Allow-Origin"), Is.Null, "CORS is off");
    }

    [Test]
    public async Task A_page_of_an_allowed_origin_sees_answers_and_errors()
    {
        const string Page = "Origin: https://app.example.org\r\n";
        var good = await GetAsync(named, "/v1/models", $"Host: localhost\r\n{Page}");
        Assert.That((good.Status, good.Header("Access-Control-Allow-Origin"), good.Header("Vary")),
            Is.EqualTo((200, "https://app.example.org", "Origin")));
        Assert.That(good.Header("Access-Control-Allow-Credentials"), Is.Null);
        var bad = await named.PostAsync("/v1/chat/completions", "{}", Page);
        Assert.That((bad.Status, bad.Header("Access-Control-Allow-Origin")), Is.EqualTo((400, "https://app.example.org")));
        Assert.That((await GetAsync(named, "/v1/models", "Host: localhost\r\nOrigin: https://evil.org\r\n")).Status, Is.EqualTo(403));
    }

    [Test]
    public async Task A_preflight_is_answered_for_allowed_origins_alone()
    {
        const string Asks = "Host: localhost\r\nAccess-Control-Request-Method: POST\r\n" +
            "Access-Control-Request-Headers: authorization, content-type\r\n";
        var good = await named.SendAsync($"OPTIONS /v1/chat/completions HTTP/1.1\r\n{Asks}Origin: https://app.example.org\r\n\r\n");
        Assert.That((good.Status, good.Header("Access-Control-Allow-Origin"), good.Header("Access-Control-Allow-Headers")),
            Is.EqualTo((204, "https://app.example.org", "authorization, content-type")));
        foreach (var server in (GuardedServer[])[named, open, keyed])
        {
            var bad = await server.SendAsync($"OPTIONS /v1/chat/completions HTTP/1.1\r\n{Asks}Origin: https://evil.org\r\n\r\n");
            Assert.That((bad.Status, bad.Header("Access-Control-Allow-Origin")), Is.EqualTo((403, (string?)null)));
        }
    }

    // A form or fetch of another page may send text without a preflight, and no Origin where it is old.
    [TestCase("text/plain"), TestCase("application/x-www-form-urlencoded"), TestCase("multipart/form-data; boundary=x"), TestCase("")]
    public async Task What_a_page_may_send_unasked_is_not_read(string type)
    {
        var header = type.Length == 0 ? "" : $"Content-Type: {type}\r\n";
        foreach (var path in (string[])["/v1/chat/completions", "/v1/completions", "/tokenize"])
        {
            var answer = await open.SendAsync($"POST {path} HTTP/1.1\r\nHost: localhost\r\n{header}Content-Length: {Chat.Length}\r\n\r\n{Chat}");
            Assert.That(answer.Status, Is.EqualTo(415));
        }
    }

    [Test]
    public async Task A_star_allows_all()
    {
        await using var server = await GuardedServer.StartAsync((QuiltServerOptions options) =>
        {
            options.AllowedHosts.Add("*");
            options.AllowedOrigins.Add("*");
        });
        var answer = await GetAsync(server, "/v1/models", "Host: any.where\r\nOrigin: null\r\n");
        Assert.That((answer.Status, answer.Header("Access-Control-Allow-Origin")), Is.EqualTo((200, "null")));
    }

    private static Task<RawAnswer> GetAsync(GuardedServer server, string path, string headers) =>
        server.SendAsync($"GET {path} HTTP/1.1\r\n{headers}\r\n");
}
