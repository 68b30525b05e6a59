using System.Net.Http.Json;
using System.Text.Json;
using Quilt.Tests.Cli;

namespace Quilt.Tests.Cluster;

/// <summary>Three <c>quilt serve</c> on this machine, which know a key together.</summary>
[NonParallelizable, Category("Slow")]
public sealed class ClusterProcessTests
{
    private const string Key = "a key for tests only";
    private static readonly string[] Names = ["one", "two", "three"];
    private readonly List<ServeProcess> nodes = [];
    private HttpClient client = null!;

    [SetUp]
    public async Task Start()
    {
        client = new HttpClient { Timeout = TimeSpan.FromMinutes(2) };
        nodes.Add(await StartAsync("one"));
        var seed = PortOf(nodes[0]);
        foreach (var name in Names[1..]) nodes.Add(await StartAsync(name, "--join", $"127.0.0.1:{seed}"));
        await UntilAsync(replicas => replicas.Count(replica => replica == "ready") == 3);
    }

    [TearDown]
    public async Task Stop()
    {
        foreach (var node in nodes) await node.DisposeAsync();
        nodes.Clear();
        client.Dispose();
    }

    [Test]
    public async Task No_request_is_lost_that_had_not_begun_when_a_process_is_killed()
    {
        var alone = await TextAsync(nodes[0], 40);
        var asked = new List<Task<string>>();
        for (var i = 0; i < 12; i++)
        {
            asked.Add(TextAsync(nodes[i % 2], 40));
            if (i == 5) nodes[2].Kill();
        }
        var texts = await Task.WhenAll(asked);
        // What had begun at the one that was killed is told so; everything else has the one answer.
        Assert.That(texts, Has.All.EqualTo(alone).Or.EqualTo("503 ReplicaLostError"));
        for (var i = 0; i < 4; i++) Assert.That(await TextAsync(nodes[i % 2], 40), Is.EqualTo(alone));
        await UntilAsync(replicas => replicas.Count(replica => replica == "ready") == 2);
        var (code, output) = await StatusAsync();
        Assert.That(code, Is.Zero);
        var held = output.GetProperty("replicas").EnumerateArray().Where(replica => replica.GetProperty("state").GetString() == "ready");
        Assert.That(held.Select(replica => replica.GetProperty("blocks_used").GetInt32()), Is.All.Zero);
    }

    [Test]
    public async Task A_stranger_without_the_key_is_not_let_in()
    {
        using var stranger = new System.Net.Sockets.TcpClient();
        await stranger.ConnectAsync("127.0.0.1", PortOf(nodes[1]));
        await stranger.GetStream().WriteAsync(new byte[200]);
        using var hang = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        Assert.That(await EndAsync(stranger, hang.Token), Is.Zero);
        Assert.That(await TextAsync(nodes[1], 3), Is.Not.Empty);
    }

    [Test]
    public async Task A_process_that_is_asked_to_end_ends_what_it_has()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{nodes[2].Url}/v1/completions")
        {
            Content = JsonContent.Create(new { prompt = "Once", max_tokens = 300, ignore_eos = true, temperature = 0, stream = true }),
        };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        nodes[2].Terminate();
        var stream = await response.Content.ReadAsStringAsync();
        Assert.That(stream, Does.EndWith("data: [DONE]\n\n").And.Not.Contains("\"error\""));
        Assert.That((await nodes[2].ExitAsync()).Code, Is.Zero);
        await UntilAsync(replicas => replicas.Count(replica => replica == "ready") == 2);
    }

    private static Task<ServeProcess> StartAsync(string name, params string[] more) => ServeProcess.StartAsync(
        ["--cluster", "tests", "--node-name", name, "--cluster-key", Key, "--routing-logic", "roundrobin", "--kv-cache-dtype", "float32", .. more]);

    // It says so before it listens: node NAME of cluster NAME at ADDRESS:PORT.
    private static int PortOf(ServeProcess node) =>
        int.Parse(node.Said.Single(line => line.Contains("of cluster", StringComparison.Ordinal)).Split(':')[^1]);

    private static async Task<int> EndAsync(System.Net.Sockets.TcpClient stranger, CancellationToken cancel)
    {
        try
        {
            return await stranger.GetStream().ReadAsync(new byte[1], cancel);
        }
        catch (IOException)
        {
            return 0;                                        // a reset is an end too
        }
    }

    private async Task<string> TextAsync(ServeProcess node, int tokens)
    {
        using var response = await client.PostAsJsonAsync($"{node.Url}/v1/completions",
            new { prompt = "The capital of France", max_tokens = tokens, ignore_eos = true, temperature = 0 });
        var body = await response.Content.ReadFromJsonAsync<JsonElement>();
        return response.IsSuccessStatusCode ? body.GetProperty("choices")[0].GetProperty("text").GetString()!
            : $"{(int)response.StatusCode} {body.GetProperty("error").GetProperty("type").GetString()}";
    }

    private async Task UntilAsync(Func<string[], bool> wanted)
    {
        using var hang = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (true)
        {
            var status = await client.GetFromJsonAsync<JsonElement>($"{nodes[0].Url}/cluster", hang.Token);
            if (wanted([.. status.GetProperty("replicas").EnumerateArray().Select(replica => replica.GetProperty("state").GetString()!)])) return;
            await Task.Delay(100, hang.Token);
        }
    }

    private async Task<(int Code, JsonElement Output)> StatusAsync()
    {
        var run = await QuiltProcess.Run(["cluster", "status", "--url", nodes[1].Url, "--json"]);
        return (run.ExitCode, JsonDocument.Parse(run.Output).RootElement);
    }
}
