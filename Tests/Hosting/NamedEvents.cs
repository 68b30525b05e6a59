using System.Text.Json;

namespace Quilt.Tests.Hosting;

/// <summary>Streams whose events have names: <c>event: name</c>, <c>data: {…}</c> and an empty line each.</summary>
internal static class NamedEvents
{
    /// <summary>Posts JSON and reads the events that answer. Each one's name is its type, which is checked.</summary>
    public static async Task<IReadOnlyList<JsonElement>> EventsAsync(this HttpHost host, string path, string json)
    {
        using var response = await host.PostAsync(path, json);
        var text = await response.Content.ReadAsStringAsync();
        Assert.That((int)response.StatusCode, Is.EqualTo(200), text);
        Assert.That(response.Content.Headers.ContentType!.ToString(), Is.EqualTo("text/event-stream; charset=utf-8"));
        return [.. text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(Event)];
    }

    /// <summary>The names of events.</summary>
    public static IReadOnlyList<string> Types(this IEnumerable<JsonElement> events) =>
        [.. events.Select(one => one.GetProperty("type").GetString()!)];

    /// <summary>Posts JSON and reads an answer whatever its status.</summary>
    public static async Task<(int Status, JsonElement Body)> TryAsync(this HttpHost host, string path, string json)
    {
        using var response = await host.PostAsync(path, json);
        return ((int)response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync()));
    }

    private static JsonElement Event(string lines)
    {
        var (name, data) = (lines.Split('\n')[0], lines.Split('\n')[1]);
        Assert.That(name, Does.StartWith("event: "));
        Assert.That(data, Does.StartWith("data: "));
        var read = JsonElement.Parse(data["data: ".Length..]);
        Assert.That(read.GetProperty("type").GetString(), Is.EqualTo(name["event: ".Length..]));
        return read;
    }
}
