using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Quilt.Tests.Hosting;

namespace Quilt.Tests.Cluster.Routing;

/// <summary>Bodies that a router refuses before it routes them; any door of a cluster is a server, which does the same.</summary>
internal static partial class RouterBodies
{
    public static async Task CheckAsync(JsonElement c)
    {
        await using var host = await HttpHost.StartAsync(configure: options => options.RequestIdHeaders = true);
        foreach (var path in new[] { "/v1/chat/completions", "/v1/completions" })
        {
            using var content = new ByteArrayContent(Bytes(c.GetProperty("body").GetString()!));
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
            request.Headers.Add("X-Request-Id", "the-callers-own");
            using var response = await host.Client.SendAsync(request);
            var text = await response.Content.ReadAsStringAsync();
            foreach (var field in c.GetProperty("expected").EnumerateObject())
            {
                switch (field.Name)
                {
                    case "status": Assert.That((int)response.StatusCode, Is.EqualTo(field.Value.GetInt32()), text); break;
                    case "has_error":
                        using (var answer = JsonDocument.Parse(text))
                            Assert.That(answer.RootElement.TryGetProperty("error", out _), Is.EqualTo(field.Value.GetBoolean()), text);
                        break;
                    case "echo_header":
                        Assert.That(response.Headers.GetValues(field.Value.GetString()!), Is.EqualTo(["the-callers-own"]));
                        break;
                    default: Assert.Fail($"The case expects '{field.Name}', which this fixture does not know."); break;
                }
            }
        }
    }

    // Bodies that are no text, or long, are described.
    private static byte[] Bytes(string body)
    {
        if (OneByte().Match(body) is { Success: true } one) return [Convert.ToByte(one.Groups[1].Value, 16)];
        if (!Repeated().IsMatch(body)) return Encoding.UTF8.GetBytes(body);
        var text = new StringBuilder();
        foreach (var part in body.Split(" then "))
            text.Append(Repeated().Match(part).Groups[2].Value[0], int.Parse(Repeated().Match(part).Groups[1].Value));
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    [GeneratedRegex(@"^\\x([0-9a-f]{2}) \(one byte\)$", RegexOptions.IgnoreCase)]
    private static partial Regex OneByte();

    [GeneratedRegex(@"^(\d+) x '(.)'")]
    private static partial Regex Repeated();
}
