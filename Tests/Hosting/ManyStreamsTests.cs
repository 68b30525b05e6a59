using System.Text;
using System.Text.Json;

namespace Quilt.Tests.Hosting;

/// <summary>A thousand clients at once: each gets its own reply, whole and in order.</summary>
public sealed class ManyStreamsTests
{
    private const int Streams = 1000;

    [Test]
    public async Task A_thousand_streams_at_once_lose_nothing()
    {
        await using var host = await HttpHost.StartAsync();
        using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = Streams })
        { BaseAddress = new Uri(host.Url), Timeout = TimeSpan.FromMinutes(5) };
        // What every reply has to be, by its prompt: a few prompts, asked alone.
        string[] prompts = ["The capital of", "Add 3 and 4", "Hello", "Once upon", "A list:", "What is", "No", "The"];
        var alone = new List<string>();
        foreach (var prompt in prompts) alone.Add(await AskAsync(client, prompt));
        var replies = await Task.WhenAll(Enumerable.Range(0, Streams).Select(i => AskAsync(client, prompts[i % prompts.Length])));
        for (var i = 0; i < Streams; i++) Assert.That(replies[i], Is.EqualTo(alone[i % prompts.Length]), $"stream {i}");
        // The last step may not be over when the last reply is.
        await host.Engine.ResetPrefixCacheAsync();
        Assert.That((host.Engine.Snapshot().Running, host.Engine.Snapshot().Waiting, host.Engine.Snapshot().BlocksUsed), Is.EqualTo((0, 0, 0)));
    }

    private static async Task<string> AskAsync(HttpClient client, string prompt)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = new StringContent($$"""{"prompt": "{{prompt}}", "max_tokens": 12, "temperature": 0, "ignore_eos": true, "stream": true}""",
                Encoding.UTF8, "application/json"),
        };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.That((int)response.StatusCode, Is.EqualTo(200));
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var text = new StringBuilder();
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line == "data: [DONE]") return text.ToString();
            if (line.Length == 0) continue;
            using var piece = JsonDocument.Parse(line["data: ".Length..]);
            text.Append(piece.RootElement.GetProperty("choices")[0].GetProperty("text").GetString());
        }
        throw new AssertionException("The stream broke off.");
    }
}
