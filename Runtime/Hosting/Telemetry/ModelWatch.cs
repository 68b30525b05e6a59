using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Quilt.Hosting.Models;
using Quilt.Runtime;

namespace Quilt.Hosting.Telemetry;

/// <summary>What is known of each model beside its engine: its observer, its counts, whether it is warm. Says in the log how loading goes.</summary>
internal sealed class ModelWatch
{
    private readonly ConcurrentDictionary<ServedModel, State> states = new();
    private readonly ServerMeter meter;
    private readonly TimeProvider time;
    private readonly ILogger logger;

    public ModelWatch(ServerMeter meter, TimeProvider time, ILoggerFactory loggers)
    {
        (this.meter, this.time, logger) = (meter, time, loggers.CreateLogger(Log.Category));
        meter.Snapshots = Snapshots;
    }

    /// <summary>Watches models; whoever observes them already goes on doing so.</summary>
    public ServedModels Attach(ServedModels models)
    {
        var others = models.Observer;
        models.Observer = model => others(model) is { } other ? new ObserverList(logger, Opening(model), other) : Opening(model);
        models.Watch = this;
        return models;
    }

    /// <summary>A model begins to load.</summary>
    /// <returns>The observer of its engine.</returns>
    public ServerObserver Opening(ServedModel model)
    {
        var state = states.GetOrAdd(model, static _ => new State());
        state.Observer = new ServerObserver(model.Name, meter, time, logger);
        (state.IsWarm, state.Started) = (false, Stopwatch.GetTimestamp());
        Log.ModelLoading(logger, model.Name, model.Folder);
        return state.Observer;
    }

    /// <summary>Its engine is open and nobody has it yet: it is warmed up, and what it does is counted from here on.</summary>
    public async Task OpenedAsync(ServedModel model, Engine engine, CancellationToken cancel)
    {
        if (!states.TryGetValue(model, out var state)) return;
        var loaded = Stopwatch.GetElapsedTime(state.Started);
        var warmUp = TimeSpan.Zero;
        try
        {
            warmUp = await WarmUp.RunAsync(engine, cancel).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Requests will meet the same and say so; health looks at the engine itself.
        catch (Exception thrown)
#pragma warning restore CA1031
        {
            if (!cancel.IsCancellationRequested) Log.WarmUpFailed(logger, thrown, model.Name);
        }
        state.Counts ??= new ModelCounts(engine.MaxTokens);
        state.Observer!.Begin(state.Counts);
        (state.Engine, state.IsWarm) = (engine, true);
        Log.ModelLoaded(logger, model.Name, loaded.TotalSeconds, warmUp.TotalMilliseconds, engine.WeightBytes, engine.Memory.Cache, engine.MaxTokens);
    }

    /// <summary>It could not be loaded.</summary>
    public void Failed(ServedModel model, Exception reason)
    {
        if (reason is not OperationCanceledException) Log.ModelFailed(logger, reason, model.Name);
    }

    /// <summary>It makes room for others, or nobody used it.</summary>
    public void Dropped(ServedModel model, Engine engine)
    {
        if (states.TryGetValue(model, out var state)) (state.Observer, state.Engine, state.IsWarm) = (null, null, false);
        Log.ModelDropped(logger, model.Name, engine.Memory.Total);
    }

    /// <summary>What was counted of a model; null where it was never loaded.</summary>
    public ModelCounts? Counts(ServedModel model) => states.TryGetValue(model, out var state) ? state.Counts : null;

    /// <summary>Whether its engine is open and warm.</summary>
    public bool IsWarm(ServedModel model) => states.TryGetValue(model, out var state) && state.IsWarm;

    /// <summary>How long its engine has made no step though it has requests; zero where it has none.</summary>
    public TimeSpan Stalled(ServedModel model) => states.TryGetValue(model, out var state) ? state.Observer?.Stalled ?? default : default;

    private IEnumerable<(string Model, EngineSnapshot Now)> Snapshots() =>
        from state in states
        let engine = state.Value.Engine
        where engine is not null
        select (state.Key.Name, engine.Snapshot());

    private sealed class State
    {
        public volatile Engine? Engine;
        public volatile ServerObserver? Observer;
        public volatile ModelCounts? Counts;
        public volatile bool IsWarm;
        public long Started;
    }
}
