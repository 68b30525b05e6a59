using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Quilt.Hosting.Page;
using Quilt.Runtime;
using Quilt.Tests.Hosting.Browser;

namespace Quilt.Tests.Hosting;

/// <summary>The page's files and its feed, as a client without a browser sees them.</summary>
public sealed partial class PageTests
{
    private const int MostBytes = 150_000;

    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly Dictionary<string, string> Types = new()
    {
        [".html"] = "text/html; charset=utf-8", [".css"] = "text/css; charset=utf-8", [".js"] = "text/javascript; charset=utf-8",
        [".svg"] = "image/svg+xml",
    };

    private ScriptedServer server = null!;
    private HttpClient client = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        server = await ScriptedServer.StartAsync();
        client = new HttpClient { BaseAddress = server.Address };
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        client.Dispose();
        await server.DisposeAsync();
    }

    [Test]
    public async Task Every_file_comes_with_its_type_and_its_rules()
    {
        Assert.That(PageFile.All.Select(file => file.Name), Has.Member("index.html").And.Member("app.js").And.Member("base.css"));
        foreach (var path in PageFile.All.Select(PathOf))
        {
            using var answer = await client.GetAsync(path);
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), path);
            Assert.That(answer.Content.Headers.ContentType!.ToString(), Is.EqualTo(Types[path == "" ? ".html" : Path.GetExtension(path)]), path);
            Assert.That(Header(answer, "Content-Security-Policy"), Is.EqualTo(Policy), path);
            Assert.That(Header(answer, "X-Content-Type-Options"), Is.EqualTo("nosniff"), path);
            Assert.That(Header(answer, "Referrer-Policy"), Is.EqualTo("no-referrer"), path);
            Assert.That(answer.Headers.CacheControl!.NoCache, Is.True, path);
            Assert.That(answer.Headers.ETag!.IsWeak, Is.False, path);
        }
    }

    [Test]
    public async Task What_a_browser_has_is_not_sent_again()
    {
        using var first = await client.GetAsync("page/app.js");
        using var again = await AskAsync(HttpMethod.Get, "page/app.js", first.Headers.ETag);
        Assert.That(again.StatusCode, Is.EqualTo(HttpStatusCode.NotModified));
        Assert.That(await again.Content.ReadAsByteArrayAsync(), Is.Empty);
        using var other = await AskAsync(HttpMethod.Get, "page/app.js", new EntityTagHeaderValue("\"another\""));
        Assert.That(other.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        using var head = await AskAsync(HttpMethod.Head, "page/app.js", null);
        Assert.That(head.Content.Headers.ContentLength, Is.EqualTo(first.Content.Headers.ContentLength));
        Assert.That(await head.Content.ReadAsByteArrayAsync(), Is.Empty);
    }

    [TestCase("page/")]
    [TestCase("page/index.html")]
    [TestCase("page/none.js")]
    [TestCase("page/../app.js")]
    [TestCase("page/%2e%2e/secrets")]
    [TestCase("favicon.ico")]
    [TestCase("v1/none")]
    public async Task Other_paths_are_left_to_others(string path)
    {
        using var answer = await client.GetAsync(path);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [Test]
    public void All_of_it_is_small()
    {
        Assert.That(PageFile.All.Sum(file => file.Content.Length), Is.InRange(10_000, MostBytes));
    }

    // The policy would stop these; that it is never asked to is what this holds.
    [Test]
    public void Nothing_is_inline_and_nothing_comes_from_elsewhere()
    {
        foreach (var file in PageFile.All)
        {
            var text = Encoding.UTF8.GetString(file.Content);
            Assert.That(OutsideAddress().Matches(text).Select(match => match.Value), Is.Empty, file.Name);
            Assert.That(DangerousCall().Matches(text).Select(match => match.Value), Is.Empty, file.Name);
            if (!file.Name.EndsWith(".html", StringComparison.Ordinal)) continue;
            Assert.That(InlineScript().Matches(text).Select(match => match.Value), Is.Empty, file.Name);
            Assert.That(Regex.IsMatch(text, "<style|\\sstyle="), Is.False, file.Name);
        }
    }

    [Test]
    public void Every_file_that_a_file_names_is_there()
    {
        var names = PageFile.All.Select(file => file.Name).ToHashSet();
        var named = PageFile.All.SelectMany(file => Named().Matches(Encoding.UTF8.GetString(file.Content)))
            .Select(match => match.Groups["name"].Value).Distinct().ToArray();
        Assert.That(named, Has.Length.GreaterThan(8).And.SubsetOf(names));
        Assert.That(names.Except(named), Is.EquivalentTo(new[] { "index.html" }), "files that nothing uses");
    }

    [Test]
    public async Task The_feed_tells_what_the_engine_does()
    {
        using var lease = await server.Models.UseAsync(null, default);
        var before = await EngineAsync();
        var request = new GenerationRequest { Text = "A secret: ", Sampling = new() { MaxTokens = 12, IgnoreEos = true } };
        var generation = lease.Submit(request, default)[0];
        await generation.ReadToEndAsync();

        // The snapshot is of the last step that ended, and this reply was there before its step was.
        var after = await EngineAsync();
        for (var i = 0; i < 500 && after.GetProperty("models")[0].GetProperty("running").GetInt32() > 0; i++) after = await EngineAsync();
        Assert.That(after.GetProperty("now").GetDouble(), Is.GreaterThan(before.GetProperty("now").GetDouble()));
        var model = after.GetProperty("models")[0];
        var earlier = before.GetProperty("models")[0];
        Assert.That(model.GetProperty("name").GetString(), Is.EqualTo("demo"));
        Assert.That(model.GetProperty("loaded").GetBoolean(), Is.True);
        Assert.That(model.GetProperty("blocks").GetInt32(), Is.GreaterThan(0));
        Assert.That(model.GetProperty("generatedTokens").GetInt64() - earlier.GetProperty("generatedTokens").GetInt64(), Is.EqualTo(12));
        Assert.That(model.GetProperty("timeToFirstToken").GetDouble(), Is.GreaterThan(0));

        var lane = model.GetProperty("lanes")[0];
        Assert.That(lane.GetProperty("state").GetString(), Is.EqualTo("ended"));
        Assert.That(lane.GetProperty("reason").GetString(), Is.EqualTo("length"));
        Assert.That(lane.GetProperty("promptTokens").GetInt32(), Is.EqualTo(generation.PromptIds.Count));
        Assert.That(lane.GetProperty("generatedTokens").GetInt32(), Is.EqualTo(12));
        var times = new[] { "submitted", "started", "firstToken", "ended" }.Select(name => lane.GetProperty(name).GetDouble()).ToArray();
        Assert.That(times, Is.Ordered.And.All.InRange(0, after.GetProperty("now").GetDouble()));
        Assert.That(after.ToString(), Does.Not.Contain("secret"));
    }

    [Test]
    public async Task The_feed_comes_twice_a_second_and_stops_with_its_listener()
    {
        using (var answer = await client.GetAsync("engine/events", HttpCompletionOption.ResponseHeadersRead))
        {
            Assert.That(answer.Content.Headers.ContentType!.MediaType, Is.EqualTo("text/event-stream"));
            using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
            var times = new List<double>();
            while (times.Count < 3 && await reader.ReadLineAsync() is { } line)
            {
                if (line.Length == 0) continue;
                Assert.That(line, Does.StartWith("data: {"));
                times.Add(JsonDocument.Parse(line[6..]).RootElement.GetProperty("now").GetDouble());
            }
            Assert.That(times[2] - times[0], Is.InRange(800, 3000));
            Assert.That(Listeners(), Is.EqualTo(1));
        }
        for (var i = 0; Listeners() != 0 && i < 500; i++) await Task.Delay(10);
        Assert.That(Listeners(), Is.Zero);
    }

    private int Listeners() => server.Feed.Listeners;

    private static string PathOf(PageFile file) => file.Name == "index.html" ? "" : $"page/{file.Name}";

    private static string Header(HttpResponseMessage answer, string name) => string.Join(", ", answer.Headers.GetValues(name));

    private async Task<HttpResponseMessage> AskAsync(HttpMethod method, string path, EntityTagHeaderValue? known)
    {
        using var request = new HttpRequestMessage(method, path);
        if (known is not null) request.Headers.IfNoneMatch.Add(known);
        return await client.SendAsync(request);
    }

    private async Task<JsonElement> EngineAsync() => JsonDocument.Parse(await client.GetStringAsync("engine")).RootElement;

    // The name of SVG's elements is no address that anybody asks; nor is a scheme alone.
    [GeneratedRegex("""(?!http://www\.w3\.org/2000/svg)\b(https?|wss?):/{2}[\w.]|@import|url\((?!arrow)""")]
    private static partial Regex OutsideAddress();

    [GeneratedRegex(@"\binnerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|createContextualFragment|setHTMLUnsafe")]
    private static partial Regex DangerousCall();

    [GeneratedRegex("""<script(?![^>]*\ssrc=)[^>]*>|\son\w+\s*=|javascript:""")]
    private static partial Regex InlineScript();

    [GeneratedRegex("""(?:page/|from '\./|url\()(?<name>[\w-]+\.(?:js|css|svg))""")]
    private static partial Regex Named();
}
