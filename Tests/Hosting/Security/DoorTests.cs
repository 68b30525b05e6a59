using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Quilt.Hosting.Http;

namespace Quilt.Tests.Hosting.Security;

/// <summary>
/// The rows of the security list's part E, each tried on a real socket of a server with two keys. Of CVE-2025-25183 and of what a disk holds the
/// tests of the cache speak; that only 127.0.0.1 is listened on by default, and that other addresses want a key, those of <c>quilt serve</c>.
/// </summary>
public sealed class DoorTests
{
    private const string First = "sk-first-7f3a", Second = "sk-second-91c0";
    private GuardedServer server = null!;
    private LogLines logs = null!;

    private static readonly string[] Spellings =
    [
        "//v1/models", "/V1/models", "/v1/Models", "/V1/MODELS", "/%2fv1/models", "/%2Fv1/models", "/x/../v1/models", "/./v1/models", "/v1/./models",
        "/v1/x/../models", "/%76%31/models", "/v1%2fmodels", "/v1//models", "/v1/models/", "/v1/models//", "/v1/models?key=sk-first-7f3a",
        "/v1/models?/health", "/v1/models;/health", "/v1/models%00", "/v1/models%3f", "/v1/models%23/health", "/health/../v1/models",
        "/health/%2e%2e/v1/models", "/health%2f..%2fv1/models", "/health/..%2fv1%2fmodels", "/ping/../v1/models", "/metrics/../v1/models",
        "\\v1\\models", "/v1\\models", "http://localhost/v1/models", "http://localhost//v1/models", "http://localhost/health/../v1/models",
        "*", "/v1/models/demo", "/tokenize", "/load", "/version",
    ];

    private static readonly string[] WrongHeaders =
    [
        "", "Authorization: \r\n", "Authorization: Bearer\r\n", "Authorization: Bearer \r\n", $"Authorization: {First}\r\n",
        $"Authorization: Basic {First}\r\n", $"Authorization: Bearer{First}\r\n", "Authorization: Bearer sk-first-7f3\r\n",
        "Authorization: Bearer sk-first-7f3aa\r\n", "Authorization: Bearer SK-FIRST-7F3A\r\n", $"Authorization: Bearer {First},{Second}\r\n",
        $"Authorization: Bearer {First} {Second}\r\n", "Authorization: Bearer *\r\n", "Authorization: Bearer null\r\n",
        $"Authorization: Bearer {First}\r\nAuthorization: Bearer {First}\r\n", "x-api-key: \r\n", "x-api-key: sk-first\r\n",
        $"x-api-key: Bearer {First}\r\n", $"x-api-key: {First}\r\nx-api-key: {Second}\r\n", $"Cookie: key={First}\r\n", $"api-key: {First}\r\n",
        $"X-Forwarded-For: 127.0.0.1\r\nX-Original-URL: /health\r\nX-HTTP-Method-Override: OPTIONS\r\n", "Authorization: Bearer \xff\xfe\r\n",
    ];

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        logs = new LogLines();
        server = await GuardedServer.StartAsync(
            options =>
            {
                options.ApiKeys.Add(First);
                options.ApiKeys.Add(Second);
                options.PromptTokensDetails = true;
            },
            logs: logs, map: group => group.MapGet("/mapped-later", http => http.Response.WriteAsync("secret")));
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await server.DisposeAsync();
        logs.Dispose();
    }

    // E: what vLLM leaves outside its key.
    [Test]
    public async Task Every_endpoint_asks_for_a_key_but_those_that_are_marked_open()
    {
        var asked = 0;
        foreach (var endpoint in server.Endpoints)
        {
            var isOpen = endpoint.Metadata.GetMetadata<OpenEndpoint>()?.IsOpen(new()) ?? false;
            var path = "/" + string.Join('/', endpoint.RoutePattern.PathSegments.Select(segment =>
                string.Concat(segment.Parts.Select(part => part is Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart text ? text.Content
                    : "x"))));
            foreach (var method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET", "POST"])
            {
                var answer = await server.SendAsync($"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                if (isOpen) Assert.That(answer.Status, Is.Not.EqualTo(401), $"{method} {path}");
                else Assert.That((answer.Status, answer.Body), Is.EqualTo((401, """{"error":"Unauthorized"}""")), $"{method} {path}");
                asked++;
            }
        }
        Assert.That(asked, Is.GreaterThan(10));
    }

    [TestCase("GET", "/health", 200)]
    [TestCase("GET", "/ping", 200)]
    [TestCase("POST", "/ping", 200)]
    [TestCase("GET", "/mapped-later", 401)]
    [TestCase("GET", "/v1/models", 401)]
    [TestCase("GET", "/nowhere", 404)]
    [TestCase("GET", "/v1/nowhere", 404)]
    [TestCase("DELETE", "/v1/models", 405)]
    [TestCase("OPTIONS", "/v1/models", 405)]
    public async Task Without_a_key_answers(string method, string path, int status)
    {
        var answer = await server.SendAsync($"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        Assert.That(answer.Status, Is.EqualTo(status));
        if (status == 401) Assert.That(answer.Header("WWW-Authenticate"), Is.EqualTo("Bearer"));
        if (status is 404 or 405) Assert.That(answer.Body, Does.Contain("\"code\":" + status).And.Not.Contain(path));
        Assert.That(answer.Header("X-Content-Type-Options"), Is.EqualTo("nosniff"));
        Assert.That(answer.Header("Server"), Is.Null);
    }

    // E: checks of prefixes passed by other spellings.
    [TestCaseSource(nameof(Spellings))]
    public async Task No_spelling_of_a_path_gets_past_the_door(string target)
    {
        foreach (var method in (string[])["GET", "POST", "HEAD", "OPTIONS"])
        {
            var answer = await server.SendAsync($"{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
            Assert.That(answer.Status, Is.EqualTo(401).Or.EqualTo(404).Or.EqualTo(405).Or.EqualTo(400), $"{method} {target}");
            Assert.That(answer.Body, Does.Not.Contain("demo").And.Not.Contain(First));
        }
    }

    // E: CVE-2025-59425 and what a comparison may take for a key.
    [TestCaseSource(nameof(WrongHeaders))]
    public async Task A_wrong_key_is_refused(string headers)
    {
        var answer = await server.SendAsync($"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        Assert.That(answer.Status, Is.EqualTo(401).Or.EqualTo(400));
        Assert.That(answer.Body, Does.Not.Contain("sk-").And.Not.Contain("demo"));
    }

    [TestCase($"Authorization: Bearer {First}")]
    [TestCase($"authorization: bearer {Second}")]
    [TestCase($"x-api-key: {First}")]
    [TestCase($"X-Api-Key: {Second}")]
    [TestCase($"Authorization: Bearer of-somebody-else\r\nx-api-key: {Second}")]
    public async Task Each_key_opens(string header)
    {
        var answer = await server.SendAsync($"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n");
        Assert.That(answer.Status, Is.EqualTo(200));
    }

    // E: CVE-2025-46570: the cache of one key tells nothing to another, also not with the same salt.
    [TestCase("")]
    [TestCase(""", "cache_salt": "shared" """)]
    public async Task A_key_never_hits_what_another_has_cached(string salt)
    {
        var prompt = string.Concat(Enumerable.Repeat($"Salt{salt.Length} was dear in the town. ", 30));
        var body = $$"""{"prompt": {{JsonSerializer.Serialize(prompt)}}, "max_tokens": 1{{salt}}}""";
        Assert.That(await CachedAsync(First, body), Is.Zero);
        Assert.That(await CachedAsync(First, body), Is.GreaterThan(16));
        Assert.That(await CachedAsync(Second, body), Is.Zero);
        Assert.That(await CachedAsync(Second, body), Is.GreaterThan(16));
    }

    // E: names of tenants reach reports: they are no keys, and no hash that keys could be tried against.
    [Test]
    public void A_tenant_says_nothing_of_its_key()
    {
        var request = new DefaultHttpContext().Request;
        request.Headers["x-api-key"] = First;
        var (one, other) = (new ApiKeys([First, Second]).Find(request)!.Tenant, new ApiKeys([First]).Find(request)!.Tenant);
        Assert.That(one, Is.Not.EqualTo(other), "it can be computed from the key");
        Assert.That(one, Does.Match("^[a-z0-9-]{20,128}$").And.Not.Contain("first"));
        request.Headers["x-api-key"] = Second;
        Assert.That(new ApiKeys([Second, First, "third"]).Find(request), Is.Not.Null);
        request.Headers["x-api-key"] = "third";
        Assert.That(new ApiKeys([Second, First, "third"]).Find(request), Is.Not.Null);
        Assert.That(new ApiKeys([Second, First]).Find(request), Is.Null);
    }

    // E: ShellTorch, vLLM's development mode: nothing loads, updates or runs anything by request.
    [TestCase("/v1/load_lora_adapter"), TestCase("/update_weights"), TestCase("/collective_rpc"), TestCase("/pause"), TestCase("/sleep")]
    [TestCase("/invocations"), TestCase("/reset_prefix_cache"), TestCase("/models/load"), TestCase("/api/create"), TestCase("/api/push")]
    public async Task There_is_no_such_endpoint_even_with_a_key(string path)
    {
        var answer = await server.PostAsync(path, """{"url": "http://169.254.169.254/"}""", $"Authorization: Bearer {First}\r\n");
        Assert.That(answer.Status, Is.EqualTo(404));
    }

    // E: logs.
    [Test]
    public async Task Neither_prompts_nor_keys_are_logged_or_told_again()
    {
        const string Secret = "the duke hides in the mill at Ansbach";
        string[] bodies =
        [
            $$"""{"messages": [{"role": "user", "content": "{{Secret}}"}], "max_tokens": 1}""",
            $$"""{"messages": [{"role": "user", "content": "{{Secret}}"}], "max_tokens": 0}""",
            $$"""{"messages": [{"role": "user", "content": "{{Secret}}"}], "temperature": "{{Secret}}" """,
            $$"""{"messages": [{"role": "user", "content": "{{Secret}}"}], "structured_outputs": {"json": "no JSON"} }""",
        ];
        foreach (var body in bodies)
        {
            foreach (var key in (string[])[First, "sk-wrong-5555"])
            {
                var answer = await server.PostAsync("/v1/chat/completions", body, $"Authorization: Bearer {key}\r\nConnection: close\r\n");
                Assert.That(answer.Body, Does.Not.Contain("sk-").And.Not.Contain("Ansbach"));
            }
        }
        var all = logs.ToString();
        Assert.That(all, Does.Contain("/v1/chat/completions"), "nothing was logged at all");
        Assert.That(all, Does.Not.Contain("sk-").And.Not.Contain("Ansbach"));
    }

    private async Task<int> CachedAsync(string key, string body)
    {
        var answer = await server.PostAsync("/v1/completions", body, $"x-api-key: {key}\r\n");
        Assert.That(answer.Status, Is.EqualTo(200), answer.Body);
        using var read = JsonDocument.Parse(Encoding.UTF8.GetBytes(answer.Body));
        return read.RootElement.GetProperty("usage").GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();
    }
}
