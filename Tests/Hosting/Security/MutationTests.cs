using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.AspNetCore.Routing;
using Quilt.Runtime;

namespace Quilt.Tests.Hosting.Security;

/// <summary>
/// Good requests with something wrong in them, to everything that takes a body: no 500, none that hangs, nothing left behind. QUILT_SOAK in the
/// environment: 100,000 of them, else 3,000.
/// </summary>
public sealed class MutationTests
{
    private const int Callers = 8;
    private static readonly int Requests = Environment.GetEnvironmentVariable("QUILT_SOAK") is null ? 3_000 : 100_000;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);

    [Test]
    public async Task Mutated_requests_are_answered_or_refused_and_leave_nothing()
    {
        await using var server = await GuardedServer.StartAsync(mostTokens: 2,
            engine: new EngineOptions { Threads = 2, StepTime = TimeSpan.FromMilliseconds(20) });
        string[] paths = [.. server.Endpoints
            .Where(endpoint => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods is ["POST"])
            .Select(endpoint => $"/{endpoint.RoutePattern.RawText!.TrimStart('/').Replace("{", "").Replace("}", "")}")];
        var (left, slow, statuses) = (Requests, new ConcurrentBag<(string, byte[])>(), new ConcurrentDictionary<int, int>());
        var early = 0L;
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            var (mutator, random) = (new RequestMutator(caller), new Random(caller));
            var connection = await server.ConnectAsync();
            while (Interlocked.Decrement(ref left) is var number && number >= 0)
            {
                if (number == Requests * 3 / 4) early = GC.GetTotalMemory(forceFullCollection: true);
                var body = mutator.Next();
                var path = PathFor(body, paths, random);
                var start = Stopwatch.GetTimestamp();
                var answer = await AskAsync(connection, path, body);
                if (answer.Status == 0 || answer.Header("Connection") == "close")
                {
                    await connection.DisposeAsync();
                    connection = await server.ConnectAsync();
                    if (answer.Status == 0) answer = await AskAsync(connection, path, body);
                }
                if (Stopwatch.GetElapsedTime(start) > Longest) slow.Add((path, body));
                statuses.AddOrUpdate(answer.Status, 1, (_, count) => count + 1);
                if (answer.Status is not (200 or 400 or 404 or 413 or 501) || answer.Body.Contains("\"InternalServerError\"",
                    StringComparison.Ordinal))
                    Assert.Fail($"{path}: {answer.Status} {answer.Body}\n{System.Text.Encoding.UTF8.GetString(body)}");
            }
            await connection.DisposeAsync();
        })));
        var time = clock.Elapsed;
        // What waited for others is asked again alone.
        foreach (var (path, body) in slow)
        {
            await using var connection = await server.ConnectAsync();
            var start = Stopwatch.GetTimestamp();
            await AskAsync(connection, path, body);
            Assert.That(Stopwatch.GetElapsedTime(start), Is.LessThan(Longest), $"{path}\n{System.Text.Encoding.UTF8.GetString(body)}");
        }
        await server.IdleAsync();
        var late = GC.GetTotalMemory(forceFullCollection: true);
        TestContext.Out.WriteLine($"{Requests:#,0} to {paths.Length} endpoints in {time.TotalSeconds:0} s: " +
            $"{string.Join(", ", statuses.OrderBy(one => one.Key).Select(one => $"{one.Value:#,0} × {one.Key}"))}; " +
            $"{slow.Count} slower than {Longest.TotalSeconds} s among others; " +
            $"{early >> 10:#,0} KiB early, {late >> 10:#,0} at the end");
        Assert.That(statuses.GetValueOrDefault(200), Is.GreaterThan(Requests / 50), "hardly one was good");
        Assert.That(statuses.GetValueOrDefault(400), Is.GreaterThan(Requests / 5), "hardly one was bad");
        Assert.That(late - early, Is.LessThan(64 << 20), "memory grows");
    }

    // Mostly where it might have been meant for.
    private static string PathFor(byte[] body, string[] paths, Random random)
    {
        ReadOnlySpan<byte> json = body;
        var path = json.IndexOf("\"messages\""u8) >= 0 ? "/v1/chat/completions" : json.IndexOf("\"prompt\""u8) >= 0 ? "/v1/completions"
            : "/detokenize";
        return random.Next(4) == 0 ? paths[random.Next(paths.Length)] : path;
    }

    private static async Task<RawAnswer> AskAsync(RawConnection connection, string path, byte[] body)
    {
        await connection.PostAsync(path, body);
        return await connection.ReadAsync();
    }
}
