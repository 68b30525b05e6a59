using System.Diagnostics;
using Quilt.Cli;
using Quilt.Hosting.Page;
using Quilt.Runtime;

namespace Quilt.Tests.Hosting;

/// <summary>Requests as the page draws them, of a real engine that tells of itself.</summary>
public sealed class RequestLanesTests
{
    private static readonly GenerationRequest Short = new() { Text = "Once", Sampling = new() { MaxTokens = 3, IgnoreEos = true } };

    [Test]
    public async Task Lanes_are_bounded_and_the_last_ones_stay()
    {
        var lanes = new RequestLanes();
        await using var engine = await OpenAsync(lanes);
        var all = Enumerable.Range(0, RequestLanes.Most + 44).Select(_ => engine.Submit(Short)[0]).ToArray();
        foreach (var generation in all) await generation.ReadToEndAsync();
        for (var i = 0; i < 500 && engine.Snapshot().Finished < all.Length; i++) await Task.Delay(10);      // as of its last step
        var report = lanes.Report("demo", engine.Snapshot());
        Assert.That(report.Lanes, Has.Count.LessThanOrEqualTo(RequestLanes.Most));
        Assert.That(report.Lanes.Select(lane => lane.State), Is.All.EqualTo("ended"));
        Assert.That(report.Lanes.Select(lane => lane.Id), Is.Unique);
        Assert.That(report.Finished, Is.EqualTo(all.Length));

        // One after another: the oldest goes for the newest.
        for (var i = 0; i < 5; i++) await engine.Submit(Short)[0].ReadToEndAsync();
        var later = lanes.Report("demo", engine.Snapshot()).Lanes;
        Assert.That(later, Has.Count.LessThanOrEqualTo(RequestLanes.Most));
        Assert.That(later.Take(5).Select(lane => lane.Id), Is.EqualTo(Enumerable.Range(0, 5).Select(i => all.Length + 5L - i)));
    }

    [Test]
    public async Task What_is_found_in_the_cache_and_what_is_cancelled_shows()
    {
        var lanes = new RequestLanes();
        await using var engine = await OpenAsync(lanes);
        var text = string.Concat(Enumerable.Repeat("The cat sat on the mat. ", 20));
        var request = new GenerationRequest { Text = text, Sampling = new() { MaxTokens = 3, IgnoreEos = true } };
        await engine.Submit(request)[0].ReadToEndAsync();
        await engine.Submit(request)[0].ReadToEndAsync();
        Assert.That(lanes.Report("demo", engine.Snapshot()).Lanes[0].CachedTokens, Is.GreaterThan(0));

        var endless = engine.Submit(request with { Sampling = new() { MaxTokens = 4000, IgnoreEos = true } })[0];
        await foreach (var happened in endless.Events())
        {
            if (happened.Token is null || endless.Stats.GeneratedTokens < 5) continue;
            var running = lanes.Report("demo", engine.Snapshot()).Lanes[0];
            Assert.That(running.State, Is.EqualTo("generating"));
            Assert.That(running.Ended, Is.Null);
            break;
        }
        var begun = Stopwatch.GetTimestamp();
        while (lanes.Report("demo", engine.Snapshot()).Lanes[0].State != "ended" && Stopwatch.GetElapsedTime(begun) < TimeSpan.FromSeconds(20))
            await Task.Delay(5);
        Assert.That(lanes.Report("demo", engine.Snapshot()).Lanes[0].Reason, Is.EqualTo("cancelled"));
    }

    [Test]
    public void Rates_are_those_of_the_last_two_seconds()
    {
        var second = Stopwatch.Frequency;
        var rate = new TokenRate();
        var start = 100 * second;
        for (var i = 0; i < 40; i++) rate.Add(5, start + i * second / 10);          // 50 a second, for four seconds
        Assert.That(rate.PerSecond(start + 4 * second), Is.EqualTo(50).Within(5));
        Assert.That(rate.PerSecond(start + 5 * second), Is.EqualTo(25).Within(5));
        Assert.That(rate.PerSecond(start + 7 * second), Is.Zero);
        Assert.That(new TokenRate().PerSecond(start), Is.Zero);
    }

    [Test]
    public void A_model_that_is_not_loaded_says_so()
    {
        var report = new RequestLanes().Report("other", null);
        Assert.That(report.Loaded, Is.False);
        Assert.That(report.Lanes, Is.Empty);
        Assert.That(report.TimeToFirstToken, Is.Null);
    }

    // Every decoding step passes through it: what it costs there is paid by every token.
    [Test]
    public void A_step_allocates_nothing()
    {
        var lanes = new RequestLanes();
        var step = new StepReport(3, 4, TimeSpan.FromMilliseconds(1), default);
        lanes.StepEnded(step);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) lanes.StepEnded(step);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    private static Task<Engine> OpenAsync(RequestLanes lanes) => Engine.OpenAsync(DemoModel.Folder, new EngineOptions { Observer = lanes });
}
