using Quilt.Formats.Checkpoints;
using Quilt.Hosting.Http;
using Quilt.Hosting.Telemetry;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;

namespace Quilt.Hosting.Models;

/// <summary>
/// The models of a host. One that is asked for by name is loaded, others that nobody uses make room for it; any thread. A model in use is never
/// dropped.
/// </summary>
internal sealed class ServedModels : IAsyncDisposable, IDisposable
{
    private readonly Lock gate = new();
    private readonly QuiltOptions options;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource closing = new();
    private readonly SemaphoreSlim turn = new(1);            // one is loaded at a time: each looks at the memory that is free
    private readonly ServedModel[] all;
    private readonly ModelRoom room;
    private readonly bool ownsEngines = true;
    private readonly Lazy<GenerationDefaults> otherDefaults;

    public ServedModels(QuiltOptions options, TimeProvider time)
    {
        (this.options, this.time) = (options, time);
        var created = time.GetUtcNow().ToUnixTimeSeconds();
        var first = options.Model is { } folder
            ? [new ServedModel(QuiltOptionsChecks.NamesOf(options), folder) { Created = created, IsPinned = true }]
            : Array.Empty<ServedModel>();
        all = [.. first, .. options.Models.Select(model => new ServedModel([model.Key], model.Value) { Created = created })];
        room = new ModelRoom(all, options);
        otherDefaults = new(() => GenerationDefaults.Read(options.GenerationConfigFolder!));
    }

    private ServedModels(Engine engine, string name) : this(new QuiltOptions { Model = "/", ModelNames = { name } }, TimeProvider.System)
    {
        all[0].Engine = engine;
        ownsEngines = false;
    }

    /// <summary>All of them, loaded or not; the default comes first.</summary>
    public IReadOnlyList<ServedModel> All => all;

    /// <summary>Hears how loading goes.</summary>
    public Func<ServedModel, IProgress<LoadProgress>?> Progress { get; set; } = static _ => null;

    /// <summary>Is told what engines do; asked for once for each engine that is opened.</summary>
    public Func<ServedModel, EngineObserver?> Observer { get; set; } = static model => model.Lanes;

    /// <summary>How a folder becomes an engine. Tests put a slow one, or a broken one, in its place.</summary>
    internal Func<string, EngineOptions, IProgress<LoadProgress>?, CancellationToken, Task<Engine>> Open { get; set; } = Engine.OpenAsync;

    /// <summary>One engine as a host's only model; it stays its owner's.</summary>
    public static ServedModels Over(Engine engine, string name) => new(engine, name);

    /// <summary>Is told how loading goes, and warms new engines up; null: nobody.</summary>
    public ModelWatch? Watch { get; set; }

    /// <summary>The model that a request asks for; null or empty: the first.</summary>
    /// <exception cref="ApiException">There is none of that name.</exception>
    public ServedModel Find(string? name) =>
        string.IsNullOrEmpty(name) ? all[0] : Array.Find(all, model => model.Names.Contains(name, StringComparer.Ordinal))
            ?? throw ApiException.NotFound($"The model `{Fields.Shown(name)}` does not exist.", "model");

    /// <summary>
    /// What a request gets that does not say, on an engine: the checkpoint's own or another folder's generation_config.json, or neither, and on top
    /// of it the host's options.
    /// </summary>
    public SamplingOptions SamplingOf(Engine engine) => options.Sampling.Over(
        !options.UseGenerationConfig ? new SamplingOptions()
        : options.GenerationConfigFolder is null ? engine.DefaultSampling : SamplingOptions.From(otherDefaults.Value));

    /// <summary>The model that a request asks for, loaded; it stays so until it is given back.</summary>
    /// <exception cref="ApiException">There is none of that name, or there is no room for it now.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up; loading goes on for others.</exception>
    /// <exception cref="ObjectDisposedException">The host is closing.</exception>
    /// <exception cref="Exception">It cannot be loaded, as <see cref="Engine.OpenAsync"/> says; who asks next tries again.</exception>
    public async Task<ModelLease> UseAsync(string? name, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var model = Find(name);
        Task<Engine> loading;
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(closing.IsCancellationRequested, this);
            model.Users++;
            if (model.Engine is { } engine) return new ModelLease(this, model, engine);
            loading = model.Loading ??= LoadAsync(model);
        }
        try
        {
            return new ModelLease(this, model, await loading.WaitAsync(cancel).ConfigureAwait(false));
        }
        catch (Exception e)
        {
            GiveBack(model);
            // Nobody cancelled this but the end of the host.
            ObjectDisposedException.ThrowIf(e is OperationCanceledException && !cancel.IsCancellationRequested, this);
            throw;
        }
    }

    /// <summary>A user less.</summary>
    public void GiveBack(ServedModel model)
    {
        lock (gate)
        {
            model.Users--;
            model.LastUsed = time.GetTimestamp();
        }
    }

    /// <summary>
    /// Drops the models that nobody has used for <see cref="QuiltOptions.IdleTime"/>, and those whose engine has failed: who asks next loads anew.
    /// </summary>
    public void DropIdle() => Drop(model =>
        model.Engine?.Failure is not null || (options.IdleTime is { } idle && time.GetElapsedTime(model.LastUsed, time.GetTimestamp()) >= idle));

    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    public async ValueTask DisposeAsync()
    {
        Task[] loading;
        lock (gate)
        {
            if (closing.IsCancellationRequested) return;
            closing.Cancel();
            loading = [.. all.Select(model => model.Loading).OfType<Task>()];
        }
        foreach (var task in loading) await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var model in ownsEngines ? all : [])
        {
            model.Engine?.Dispose();
            model.Engine = null;
        }
        closing.Dispose();
        turn.Dispose();
    }

    // Begun under the gate, hence the yield; what takes long runs on the engine's own thread.
    private async Task<Engine> LoadAsync(ServedModel model)
    {
        await Task.Yield();
        try
        {
            await turn.WaitAsync(closing.Token).ConfigureAwait(false);
            try
            {
                // The end of one load may hand its turn on before this wait hears that the host is closing.
                closing.Token.ThrowIfCancellationRequested();
                MakeRoom(model);
                var own = options.EngineOptions with { KvMemory = room.CacheOf(model) };
                if (Observer(model) is { } observer) own = own with { Observer = observer };
                var engine = await Open(model.Folder, own, Progress(model), closing.Token).ConfigureAwait(false);
                try
                {
                    if (Watch is not null) await Watch.OpenedAsync(model, engine, closing.Token).ConfigureAwait(false);
                }
                catch
                {
                    engine.Dispose();
                    throw;
                }
                lock (gate) (model.Engine, model.Loading, model.LastUsed) = (engine, null, time.GetTimestamp());
                return engine;
            }
            finally
            {
                turn.Release();
            }
        }
        catch (Exception thrown)
        {
            Watch?.Failed(model, thrown);
            lock (gate) model.Loading = null;
            throw;
        }
    }

    private void MakeRoom(ServedModel wanted)
    {
        if (room.NeededBy(wanted) is not { } needed) return;
        while (true)
        {
            closing.Token.ThrowIfCancellationRequested();
            ServedModel? next;
            lock (gate) next = room.NextToDrop(wanted, needed);
            if (next is null) return;
            Drop(model => model == next);
        }
    }

    private void Drop(Func<ServedModel, bool> which)
    {
        var taken = new List<Engine>();
        lock (gate)
        {
            if (closing.IsCancellationRequested) return;
            foreach (var model in all.Where(model => model.CanBeDropped && which(model)))
            {
                taken.Add(model.Engine!);
                Watch?.Dropped(model, model.Engine!);
                model.Engine = null;
            }
        }
        foreach (var engine in taken) engine.Dispose();
    }
}
