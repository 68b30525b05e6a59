using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Quilt.Runtime;
using Quilt.Tests.Hosting.Security;

namespace Quilt.Tests.Hosting;

/// <summary>
/// A server under clients of all kinds: those that read their answer, whole or in pieces, those that go away anywhere, close half of the connection,
/// read slowly or send what is no request. At the end nothing runs, no block is held, and there are as many handles and bytes as half way.
/// QUILT_SOAK in the environment: 50,000 requests, else 600.
/// </summary>
public sealed class ServerSoakTests
{
    private const int Callers = 24;
    private static readonly int Requests = Environment.GetEnvironmentVariable("QUILT_SOAK") is null ? 600 : 50_000;

    [Test]
    public async Task A_crowd_of_clients_leaves_nothing_behind()
    {
        await using var server = await GuardedServer.StartAsync(engine: new EngineOptions { Threads = 2, MaxSequences = 16,
            StepTime = TimeSpan.FromMilliseconds(20) });
        var (left, kinds) = (Requests, new int[10]);
        var (earlyBytes, earlyHandles) = (0L, 0);
        var clock = Stopwatch.StartNew();
        foreach (var until in (int[])[Requests / 2, 0])
        {
            await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
            {
                var random = new Random(caller + until);
                while (Interlocked.Decrement(ref left) is var number && number >= until)
                {
                    var kind = random.Next(kinds.Length);
                    Interlocked.Increment(ref kinds[kind]);
                    await OneAsync(server, kind, random);
                }
            })));
            left = Requests / 2;
            await server.IdleAsync(30);
            if (until > 0) (earlyBytes, earlyHandles) = (GC.GetTotalMemory(forceFullCollection: true), Handles());
        }
        var (lateBytes, lateHandles) = (GC.GetTotalMemory(forceFullCollection: true), Handles());
        var last = server.Engine.Snapshot();
        TestContext.Out.WriteLine($"{Requests:#,0} in {clock.Elapsed.TotalSeconds:0} s, by kind {string.Join(' ', kinds)}; " +
            $"{last.GeneratedTokens:#,0} tokens, {last.Finished:#,0} requests ended; " +
            $"{earlyBytes >> 10:#,0} KiB and {earlyHandles} handles half way, {lateBytes >> 10:#,0} and {lateHandles} at the end");
        Assert.That((server.Engine.Failure, server.Load, last.BlocksUsed), Is.EqualTo(((Exception?)null, 0, 0)));
        Assert.That(lateBytes - earlyBytes, Is.LessThan(32 << 20), "memory grows");
        Assert.That(lateHandles - earlyHandles, Is.LessThan(40), "handles are left");
    }

    private static async Task OneAsync(GuardedServer server, int kind, Random random)
    {
        await using var connection = await server.ConnectAsync();
        var isStream = kind is 1 or 3 or 5 or 6 or 7;
        var body = Body(kind, isStream, random);
        var head = Encoding.ASCII.GetBytes($"POST /v1/{(kind == 2 ? "completions" : "chat/completions")} HTTP/1.1\r\nHost: localhost\r\n" +
            $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n");
        byte[] all = [.. head, .. body];
        switch (kind)
        {
            case 0 or 1 or 2:
                await connection.SendAsync(all);
                var answer = await connection.ReadAsync();
                Assert.That(answer.Status, Is.EqualTo(200), answer.Body);
                Assert.That(answer.Body, isStream ? Does.EndWith("data: [DONE]\n\n") : Does.Contain("\"usage\""));
                break;
            case 3 or 4:
                await connection.SendAsync(all);
                if (isStream) for (var i = random.Next(12); i >= 0; i--) await connection.ReadLineAsync();
                else await Task.Delay(random.Next(20));
                if (random.Next(2) == 0) connection.Reset();
                break;
            case 5:
                await connection.SendAsync(all);
                connection.Socket.Shutdown(SocketShutdown.Send);
                await connection.IsClosedAsync(TimeSpan.FromSeconds(30));
                break;
            case 6:
                await connection.SendAsync(all);
                while (await connection.ReadLineAsync() is { } line && !line.Contains("[DONE]",
                    StringComparison.Ordinal)) await Task.Delay(random.Next(2));
                break;
            case 7:
                await connection.SendAsync(all.AsMemory(0, random.Next(all.Length)));
                if (random.Next(2) == 0) connection.Reset();
                break;
            case 8:
                for (var i = 0; i < 3; i++)
                {
                    await connection.SendAsync(all);
                    Assert.That((await connection.ReadAsync()).Status, Is.EqualTo(400));
                }
                break;
            default:
                await connection.SendAsync(random.Next(3) switch { 0 => "\0\0\r\n\r\n", 1 => "GET /v1/models HTTP/1.1\r\n",
                    _ => "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n" });
                if (random.Next(2) == 0) connection.Reset();
                break;
        }
    }

    private static byte[] Body(int kind, bool isStream, Random random)
    {
        if (kind == 8) return Encoding.UTF8.GetBytes($$"""{"messages": [{"role": "user", "content": "Hi."}], "max_tokens": {{-random.Next(5)}}}""");
        var tokens = kind is 3 or 4 or 5 ? 200 : 1 + random.Next(6);
        var topic = random.Next(40);
        var more = $"\"max_tokens\": {tokens}, \"ignore_eos\": {(random.Next(2) == 0 ? "true" : "false")}, " +
            $"\"stream\": {(isStream ? "true" : "false")}, \"temperature\": 0.9, \"n\": {1 + random.Next(3)}";
        return Encoding.UTF8.GetBytes(kind == 2 ? $$"""{"prompt": ["Number {{topic}} is", "Once"], {{more}}}"""
            : """{"messages": [{"role": "system", "content": "You are helpful."}, {"role": "user", "content": """ +
                $$""" "Tell me of number {{topic}}."}], {{more}}}""");
    }

    private static int Handles()
    {
        if (Directory.Exists("/proc/self/fd")) return Directory.GetFileSystemEntries("/proc/self/fd").Length;
        using var own = Process.GetCurrentProcess();
        return own.HandleCount;
    }
}
