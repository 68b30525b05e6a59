using System.Net.Http.Json;
using System.Text.Json;
using Quilt.Tests.Runtime.Kv.Tiers;

namespace Quilt.Tests.Cli;

/// <summary>A server that is killed as nothing can be done against, and the next one on the same disk.</summary>
public sealed class KvTierRestartTests
{
    private const string Prompt = "The story begins on a quiet morning in a small town by the sea. Everybody was still asleep, only the fishermen " +
        "were not, and one of them, who was the oldest, looked at the sky for a long time before he went to his boat and out into the fog.";

    [Test]
    public async Task What_was_cached_survives_kill_9()
    {
        using var disk = new TierFolder();
        string[] arguments = ["--kv-disk", disk.Path, "--kv-disk-size", "0.02", "--enable-prompt-tokens-details"];
        string text;
        int cached;
        await using (var first = await ServeProcess.StartAsync(arguments))
        {
            (text, cached) = await Ask(first.Url);
            Assert.That(cached, Is.Zero);
            await Written(disk);
            first.Kill();
            await first.ExitAsync();
        }
        await using var second = await ServeProcess.StartAsync(arguments);
        var (again, found) = await Ask(second.Url);
        Assert.That(again, Is.EqualTo(text));
        Assert.That(found, Is.GreaterThan(0));
        using var client = new HttpClient();
        var metrics = await client.GetStringAsync($"{second.Url}/metrics");
        Assert.That(metrics.Split('\n').Single(line => line.StartsWith("quilt:tier_hit_tokens_total", StringComparison.Ordinal)
            && line.Contains("tier=\"disk\"", StringComparison.Ordinal)), Does.EndWith($" {found}.0"));
    }

    /// <summary>Waits until the file does not change any more.</summary>
    private static async Task Written(TierFolder disk)
    {
        using var hang = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        for (var entries = -1; entries <= 0 || entries != Entries(); await Task.Delay(200, hang.Token)) entries = Entries();

        // As a reader that asks nobody for locks: a child of ours would see the same.
        int Entries()
        {
            var copy = disk.File + ".copy";
            using (var cp = System.Diagnostics.Process.Start("cp", [disk.File, copy])) cp.WaitForExit();
            var bytes = File.ReadAllBytes(copy);
            File.Delete(copy);
            return Enumerable.Range(0, (int)BitConverter.ToInt64(bytes, 32)).Count(slot => BitConverter.ToInt64(bytes, 4096 + (slot * 64)) != 0);
        }
    }

    private static async Task<(string Text, int Cached)> Ask(string url)
    {
        using var client = new HttpClient();
        using var answer = await client.PostAsJsonAsync($"{url}/v1/completions", new { prompt = Prompt, max_tokens = 24, temperature = 0 });
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.That(answer.IsSuccessStatusCode, $"{body}");
        var details = body.GetProperty("usage").GetProperty("prompt_tokens_details");
        return (body.GetProperty("choices")[0].GetProperty("text").GetString()!,
            details.ValueKind == JsonValueKind.Null ? 0 : details.GetProperty("cached_tokens").GetInt32());
    }
}
