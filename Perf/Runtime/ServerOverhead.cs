using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Quilt.Hosting;
using Quilt.Hosting.Models;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;

namespace Quilt.Perf.Runtime;

/// <summary>
/// What serving costs beside the engine alone: as many streams at once, over sockets of this process and without them, in turns. The client reads
/// bytes and understands none of them; it runs on the same cores, and counts as overhead.
/// </summary>
internal static class ServerOverhead
{
    private const int Rounds = 9;

    /// <summary>Measures and prints; <c>--overhead STREAMS TOKENS</c>.</summary>
    public static async Task<int> RunAsync(int streams, int tokens)
    {
        var folder = Environment.GetEnvironmentVariable("QUILT_BENCH_MODEL") ?? Cli.DemoModel.Folder;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRoutingCore();
        builder.Services.AddQuilt(options => (options.Model, options.Engine) = (folder, new EngineOptions { MaxSequences = Math.Max(64, streams) }));
        await using var app = builder.Build();
        app.UseRouting();
        app.MapQuilt();
        app.UseEndpoints(_ => { });
        await app.StartAsync();
        var engine = app.Services.GetRequiredService<ServedModels>().All[0].Engine!;
        var url = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

        var (bare, served) = (new List<double>(), new List<double>());
        for (var round = 0; round <= Rounds; round++)
        {
            var (alone, over) = round % 2 == 0
                ? (await BareAsync(engine, streams, tokens), await ServedAsync(url, streams, tokens))
                : Swapped(await ServedAsync(url, streams, tokens), await BareAsync(engine, streams, tokens));
            if (round == 0) continue;                               // the first compiles code
            bare.Add(alone);
            served.Add(over);
            Print(string.Create(CultureInfo.InvariantCulture,
                $"round {round}: alone {alone:0.000} s, served {over:0.000} s, {over / alone - 1:+0.0 %;-0.0 %}"));
        }
        var ratios = bare.Zip(served, (one, other) => other / one - 1).Order().ToArray();
        Print(string.Create(CultureInfo.InvariantCulture,
            $"{streams} streams of {tokens} tokens: " +
            $"alone {streams * tokens / Median(bare):0} tok/s, served {streams * tokens / Median(served):0} tok/s, " +
            $"overhead {ratios[Rounds / 2]:0.0 %} (median of {Rounds} rounds, {ratios[0]:0.0 %} to {ratios[^1]:0.0 %})"));
        return 0;
    }

    private static (double, double) Swapped(double served, double bare) => (bare, served);

    private static void Print(string line) => Console.Out.WriteLine(line);

    private static async Task<double> BareAsync(Engine engine, int streams, int tokens)
    {
        var sampling = new SamplingOptions { Temperature = 0, MaxTokens = tokens, IgnoreEos = true };
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, streams).Select(async i =>
        {
            await foreach (var happened in engine.Generate(PromptOf(i), sampling).Events()) _ = happened;
        }));
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static async Task<double> ServedAsync(Uri url, int streams, int tokens)
    {
        // Connections are open before the clock runs: what is measured is serving.
        var sockets = new List<Socket>();
        for (var i = 0; i < streams; i++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, url.Port);
            sockets.Add(socket);
        }
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(sockets.Select((socket, i) => StreamAsync(socket, PromptOf(i), tokens)));
        var time = Stopwatch.GetElapsedTime(start).TotalSeconds;
        foreach (var socket in sockets) socket.Dispose();
        return time;
    }

    private static async Task StreamAsync(Socket socket, string prompt, int tokens)
    {
        var body = $$"""{"prompt": "{{prompt}}", "max_tokens": {{tokens}}, "temperature": 0, "ignore_eos": true, "stream": true}""";
        var request = Encoding.ASCII.GetBytes($"POST /v1/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" +
            $"Content-Length: {body.Length}\r\n\r\n{body}");
        await socket.SendAsync(request);
        var buffer = new byte[1 << 14];
        var last = "";
        while (!last.Contains("[DONE]", StringComparison.Ordinal))
        {
            var read = await socket.ReceiveAsync(buffer);
            if (read == 0) throw new IOException("The stream broke off.");
            var end = Encoding.ASCII.GetString(buffer, Math.Max(0, read - 32), Math.Min(read, 32));
            last = last.Length > 32 ? last[^32..] + end : last + end;
        }
    }

    private static string PromptOf(int i) => $"Number {i}: once upon a time there was";

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
