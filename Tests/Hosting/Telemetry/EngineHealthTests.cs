using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Quilt.Hosting;
using Quilt.Hosting.Telemetry;
using Quilt.Kernels.Devices;
using Quilt.Runtime;
using Quilt.Runtime.Models;

namespace Quilt.Tests.Hosting.Telemetry;

/// <summary>Health says 503 where an engine is dead or stuck, and 200 where it only has nothing to do.</summary>
public sealed class EngineHealthTests
{
    [Test]
    public async Task An_idle_engine_is_in_health_however_long_it_is_idle()
    {
        var time = new ManualTime();
        await using var watched = new WatchedModels(time: time);
        await watched.RunAsync(new GenerationRequest { Tokens = [5], Sampling = WatchedModels.Greedy(3) });
        time.Advance(TimeSpan.FromDays(1));
        Assert.That((watched.Health.Sickness, watched.Health.Status), Is.EqualTo(((string?)null, 200)));
    }

    [Test]
    public async Task An_engine_that_has_requests_and_makes_no_step_is_dead_after_its_time()
    {
        var time = new ManualTime();
        await using var watched = new WatchedModels(time: time);
        using var blocking = new BlockingObserver();
        watched.Models.Observer = _ => blocking;
        watched.Watch.Attach(watched.Models);
        using var lease = await watched.Models.UseAsync(null, default);
        blocking.IsOn = true;
        var generation = lease.Submit(new GenerationRequest { Tokens = [5], Sampling = WatchedModels.Greedy(3) }, default)[0];
        blocking.Reached.Wait();
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.That(watched.Health.Sickness, Is.Null);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(watched.Health.Sickness, Is.EqualTo("The engine of tiny has requests and made no step for 60 s."));
        Assert.That(watched.Health.Status, Is.EqualTo(503));
        blocking.Release.Set();
        await generation.ReadToEndAsync();
        await lease.Engine.ResetPrefixCacheAsync();
        Assert.That((watched.Health.Sickness, watched.Health.Status), Is.EqualTo(((string?)null, 200)), "it goes on");
    }

    [Test]
    public async Task An_engine_that_failed_is_dead_and_the_log_says_so_once()
    {
        await using var watched = new WatchedModels();
        var served = watched.Models.All[0];
        var options = new EngineOptions { Threads = 2, Observer = watched.Watch.Opening(served) };
        var model = LoadedModel.Open(watched.Folder, options, null, default);
        var engine = new Engine(model, options);
        await watched.Watch.OpenedAsync(served, engine, default);
        served.Engine = engine;
        Assert.That((watched.Health.Status, watched.Health.Unreadiness), Is.EqualTo((200, (string?)null)));
        using var taken = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        // Somebody else has the threads that a step needs.
        var other = Task.Factory.StartNew(() =>
        {
            var job = new Occupy(taken, release);
            ((CpuDevice)model.Device).Pool.Run(2, ref job);
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        taken.Wait();
        var generation = engine.Generate([.. Enumerable.Range(0, 200)], WatchedModels.Greedy(3));
        await foreach (var _ in generation.Events())
        {
        }
        release.Set();
        await other;
        Assert.That(() => engine.Failure, Is.Not.Null.After(5000, 10));
        Assert.That(watched.Health.Sickness, Is.EqualTo("The engine of tiny has failed."));
        Assert.That(watched.Health.Status, Is.EqualTo(503));
        Assert.That(watched.Log.Lines.Where(line => line.Level == LogLevel.Critical).Select(line => line.Id), Is.EqualTo(new[] { 8 }));
    }

    [Test]
    public async Task Ready_is_what_is_loaded_and_warm_and_not_stopping()
    {
        await using var watched = new WatchedModels();
        using var lifetime = new Lifetime();
        var health = watched.HealthOf(lifetime);
        Assert.That(health.Unreadiness, Is.EqualTo("tiny is not loaded."));
        using (await watched.Models.UseAsync(null, default)) Assert.That(health.Unreadiness, Is.Null);
        lifetime.StopApplication();
        Assert.That((health.Unreadiness, health.Sickness, health.Status), Is.EqualTo(("The host is stopping.", (string?)null, 503)));
    }

    [Test]
    public async Task Warming_up_takes_an_engine_through_a_conversation_and_leaves_nothing_behind()
    {
        await using var watched = new WatchedModels(tokenizer: true);
        using var lease = await watched.Models.UseAsync(null, default);
        var now = lease.Engine.Snapshot();
        Assert.That(now.Steps, Is.GreaterThan(0));
        Assert.That((now.Running, now.Waiting, now.BlocksUsed, now.BlocksCached), Is.EqualTo((0, 0, 0, 0)));
        var loaded = watched.Log.Lines.Single(line => line.Id == 4);
        Assert.That(loaded.Text,
            Does.Match(@"^Model tiny: loaded in \d+\.\d\d s and warmed up in \d+ ms; \d+ bytes of weights, \d+ bytes of cache, 256 "));
        TestContext.Out.WriteLine(loaded.Text);
    }

    [Test]
    public async Task A_hosts_health_checks_know_live_and_ready()
    {
        await using var folder = new WatchedModels();
        var log = new MemoryLog();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddQuilt(options => options.Model = folder.Folder);
        await using var app = builder.Build();
        await app.StartAsync();
        var checks = app.Services.GetRequiredService<HealthCheckService>();
        foreach (var tag in new[] { "live", "ready" })
        {
            var report = await checks.CheckHealthAsync(check => check.Tags.Contains(tag));
            Assert.That(report.Entries, Has.Count.EqualTo(1));
            Assert.That(report.Status, Is.EqualTo(HealthStatus.Healthy), tag);
        }
        await app.StopAsync();
        var after = await checks.CheckHealthAsync();
        Assert.That(after.Entries.Select(entry => (entry.Key, entry.Value.Status)), Is.EquivalentTo(new[]
            { (LiveCheck.Name, HealthStatus.Healthy), (ReadyCheck.Name, HealthStatus.Unhealthy) }));
        Assert.That(log.Lines.Select(line => line.Id).Where(id => id is >= 1 and <= 4), Is.EqualTo(new[] { 3, 4, 1, 2 }));
    }

    private readonly struct Occupy(ManualResetEventSlim taken, ManualResetEventSlim release) : IJob
    {
        public void Execute(int item)
        {
            taken.Set();
            release.Wait();
        }
    }

    private sealed class Lifetime : IHostApplicationLifetime, IDisposable
    {
        private readonly CancellationTokenSource stopping = new();

        public CancellationToken ApplicationStarted => default;

        public CancellationToken ApplicationStopping => stopping.Token;

        public CancellationToken ApplicationStopped => default;

        public void StopApplication() => stopping.Cancel();

        public void Dispose() => stopping.Dispose();
    }
}
