using System.Diagnostics.Metrics;
using Quilt.Hosting.Telemetry;
using Quilt.Runtime;

namespace Quilt.Tests.Hosting.Telemetry;

/// <summary>What the engine's own thread pays for being watched.</summary>
public sealed class ServerObserverTests
{
    [Test]
    public async Task A_step_costs_no_garbage_whether_anybody_listens_or_not([Values] bool listens)
    {
        await using var watched = new WatchedModels();
        var observer = new ServerObserver("tiny", watched.Meter, watched.Time, watched.Log);
        observer.Begin(new ModelCounts(256));
        var list = new ObserverList(watched.Log, observer, new CountingObserver());
        long heard = 0;
        using var listener = new MeterListener();
        if (listens) Listen(listener, watched, () => heard++);
        for (var i = 0; i < 100; i++) list.StepEnded(Report(i));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 100; i < 1100; i++) list.StepEnded(Report(i));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        // Its duration, two kinds of tokens, hits and preemptions.
        Assert.That(heard, Is.EqualTo(listens ? 5 * 1100 : 0));
    }

    [Test]
    public async Task The_time_between_tokens_is_that_between_steps_once_for_each_reply()
    {
        var time = new ManualTime();
        await using var watched = new WatchedModels(time: time);
        var (observer, counts) = (new ServerObserver("tiny", watched.Meter, time, watched.Log), new ModelCounts(256));
        observer.Begin(counts);
        observer.StepEnded(new StepReport(10, 0, TimeSpan.Zero, default));
        time.Advance(TimeSpan.FromSeconds(.03));
        observer.StepEnded(new StepReport(0, 3, TimeSpan.Zero, default));
        time.Advance(TimeSpan.FromSeconds(20));
        observer.StepEnded(new StepReport(7, 0, TimeSpan.Zero, default));
        time.Advance(TimeSpan.FromSeconds(.2));
        observer.StepEnded(new StepReport(0, 1, TimeSpan.Zero, default));
        Assert.That(Enumerable.Range(0, counts.InterTokenTime.Bounds.Length + 1).Sum(bucket => counts.InterTokenTime[bucket]), Is.EqualTo(4));
        Assert.That(counts.InterTokenTime.Sum, Is.EqualTo(3 * .03 + .2).Within(1e-9), "an idle engine keeps nobody waiting");
    }

    [Test]
    public async Task The_meter_tells_of_blocks_and_of_the_queue()
    {
        await using var watched = new WatchedModels();
        using var lease = await watched.Models.UseAsync(null, default);
        var seen = new Dictionary<string, long>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Scope == watched.Meters) self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) =>
            seen[$"{instrument.Name} {string.Join(' ', tags.ToArray())}"] = value);
        listener.Start();
        listener.RecordObservableInstruments();
        Assert.That(seen, Is.EqualTo(new Dictionary<string, long>
        {
            ["quilt.kv.blocks [gen_ai.request.model, tiny] [quilt.kv.state, used]"] = 0,
            ["quilt.kv.blocks [gen_ai.request.model, tiny] [quilt.kv.state, free]"] = lease.Engine.Snapshot().Blocks,
            ["quilt.queue.length [gen_ai.request.model, tiny]"] = 0,
        }));
    }

    [Test]
    public async Task An_observer_that_throws_is_left_out_and_the_others_are_told()
    {
        await using var watched = new WatchedModels();
        var (before, after) = (new CountingObserver(), new CountingObserver());
        var list = new ObserverList(watched.Log, before, new ThrowingObserver(), after);
        for (var i = 0; i < 3; i++) list.StepEnded(Report(i));
        Assert.That((before.Steps, after.Steps), Is.EqualTo((3, 3)));
        Assert.That(watched.Log.Lines.Select(line => line.Id), Is.EqualTo(new[] { 9 }));
        Assert.That(watched.Log.Text, Does.Contain(nameof(ThrowingObserver)).And.Contain("on purpose"));
    }

    [Test]
    public async Task Whoever_observed_before_is_told_too()
    {
        var counting = new CountingObserver();
        await using var watched = new WatchedModels();
        watched.Models.Observer = _ => counting;
        watched.Watch.Attach(watched.Models);
        await watched.RunAsync(new GenerationRequest { Tokens = [5], Sampling = WatchedModels.Greedy(4) });
        Assert.That(counting.Steps, Is.GreaterThanOrEqualTo(4));
        Assert.That(new Exposition(watched.Scrape())["vllm:generation_tokens_total{engine=\"0\",model_name=\"tiny\"}"], Is.EqualTo(4));
    }

    private static StepReport Report(int i) => new(3, 8, TimeSpan.FromMilliseconds(i), new EngineSnapshot
    {
        Steps = i, Running = 8, Blocks = 100, PromptTokens = 3 * (i + 1), GeneratedTokens = 8 * i, PrefixQueries = i, PrefixHits = i + 1,
        Preemptions = i + 1,
    });

    private static void Listen(MeterListener listener, WatchedModels watched, Action heard)
    {
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Scope == watched.Meters) self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => heard());
        listener.SetMeasurementEventCallback<long>((_, _, _, _) => heard());
        listener.Start();
    }

    private sealed class CountingObserver : EngineObserver
    {
        public int Steps { get; private set; }

        public override void StepEnded(in StepReport step) => Steps++;
    }

    private sealed class ThrowingObserver : EngineObserver
    {
        public override void StepEnded(in StepReport step) => throw new InvalidOperationException("on purpose");
    }
}
