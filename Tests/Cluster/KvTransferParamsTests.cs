using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Tests.Cli;

namespace Quilt.Tests.Cluster;

/// <summary>vLLM's protocol of two servers and a proxy between them, as its proxies speak it: one prefill-only process, one decode-only.</summary>
[NonParallelizable, Category("Slow")]
public sealed class KvTransferParamsTests
{
    private static readonly string Prompt = string.Join(' ', Enumerable.Range(1, 60).Select(i => $"The capital of France is Paris, {i} times."));

    [Test]
    public async Task A_proxy_of_vllms_works()
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromMinutes(2) };
        await using var reader = await StartAsync("reader", "prefill");
        await using var writer = await StartAsync("writer", "decode", "--join", $"127.0.0.1:{PortOf(reader)}");
        await using var alone = await ServeProcess.StartAsync("--kv-cache-dtype", "float32");
        var expected = await AskAsync(client, alone, Body(12));

        var read = Body(1);
        read["kv_transfer_params"] = JsonNode.Parse(
            """
            {"do_remote_decode": true, "do_remote_prefill": false, "remote_engine_id": null, "remote_block_ids": null, "remote_host": null,
             "remote_port": null}
            """);
        var offered = (await AskAsync(client, reader, read)).GetProperty("kv_transfer_params");
        Assert.That(offered.GetProperty("do_remote_prefill").GetBoolean(), Is.True);
        Assert.That(offered.GetProperty("remote_engine_id").GetString(), Is.EqualTo("reader"));

        // The reply is written by the process that has heard of the reader's door.
        using var hang = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        while (!(await client.GetStringAsync($"{writer.Url}/cluster", hang.Token)).Contains("\"kv_address\":\"127", StringComparison.Ordinal))
            await Task.Delay(100, hang.Token);
        var written = Body(12);
        written["kv_transfer_params"] = JsonNode.Parse(offered.GetRawText());
        var answer = await AskAsync(client, writer, written);
        Assert.That(TextOf(answer), Is.EqualTo(TextOf(expected)));
        var cached = answer.GetProperty("usage").GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();
        Assert.That(cached, Is.EqualTo(offered.GetProperty("remote_block_ids").GetArrayLength() * 16).And.GreaterThan(0));

        // A door that the cluster does not know is not called: the prompt is computed here.
        var elsewhere = Body(12);
        elsewhere["prompt"] = "Again: " + Prompt;
        elsewhere["kv_transfer_params"] = JsonNode.Parse(offered.GetRawText());
        elsewhere["kv_transfer_params"]!["remote_host"] = "169.254.169.254";
        Assert.That(TextOf(await AskAsync(client, writer, elsewhere)), Is.Not.Empty);
    }

    private static JsonObject Body(int tokens) => new()
    {
        ["prompt"] = Prompt, ["max_tokens"] = tokens, ["temperature"] = 0, ["ignore_eos"] = true,
    };

    private static string TextOf(JsonElement answer) => answer.GetProperty("choices")[0].GetProperty("text").GetString()!;

    private static async Task<JsonElement> AskAsync(HttpClient client, ServeProcess server, JsonObject body)
    {
        using var response = await client.PostAsJsonAsync($"{server.Url}/v1/completions", body);
        Assert.That(response.IsSuccessStatusCode, Is.True, await response.Content.ReadAsStringAsync());
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    private static Task<ServeProcess> StartAsync(string name, string role, params string[] more) => ServeProcess.StartAsync(
        ["--cluster", "tests", "--node-name", name, "--role", role, "--cluster-key", "a key for tests only", "--kv-cache-dtype", "float32",
         "--enable-prompt-tokens-details", .. more]);

    private static int PortOf(ServeProcess node) =>
        int.Parse(node.Said.Single(line => line.Contains("of cluster", StringComparison.Ordinal)).Split(':')[^1]);
}
