using Quilt.Formats.Checkpoints;
using Quilt.Hosting.Http;
using Quilt.Hosting.Telemetry;
using Quilt.Runtime;

namespace Quilt.Hosting.Models;

/// <summary>
/// The models of a host. One that is asked for by name is loaded, others that nobody uses make room for it; any thread. A model in use is never
/// dropped.
/// </summary>
internal sealed class ServedModels : IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly QuiltOptions options;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource closing = new();
    private readonly ServedModel[] all;

    public ServedModels(QuiltOptions options, TimeProvider time)
    {
        (this.options, this.time) = (options, time);
        var created = time.GetUtcNow().ToUnixTimeSeconds();
        var first = options.Model is { } folder
            ? [new ServedModel([.. options.ModelNames.DefaultIfEmpty(NameOf(folder))], folder) { Created = created, IsPinned = true }]
            : Array.Empty<ServedModel>();
        all = [.. first, .. options.Models.Select(model => new ServedModel([model.Key], model.Value) { Created = created })];
    }

    /// <summary>All of them, loaded or not; the default comes first.</summary>
    public IReadOnlyList<ServedModel> All => all;

    /// <summary>Hears how loading goes.</summary>
    public Func<ServedModel, IProgress<LoadProgress>?> Progress { get; set; } = static _ => null;

    /// <summary>Is told what engines do; asked for once for each engine that is opened.</summary>
    public Func<ServedModel, EngineObserver?> Observer { get; set; } = static _ => null;

    /// <summary>Is told how loading goes, and warms new engines up; null: nobody.</summary>
    public ModelWatch? Watch { get; set; }

    /// <summary>The model that a request asks for; null or empty: the first.</summary>
    /// <exception cref="ApiException">There is none of that name.</exception>
    public ServedModel Find(string? name) =>
        string.IsNullOrEmpty(name) ? all[0] : Array.Find(all, model => model.Names.Contains(name, StringComparer.Ordinal))
            ?? throw ApiException.NotFound($"The model `{Shown(name)}` does not exist.", "model");

    /// <summary>The model that a request asks for, loaded; it stays so until it is given back.</summary>
    /// <exception cref="ApiException">There is none of that name, it cannot be loaded, or there is no room for it now.</exception>
    public async Task<ModelLease> UseAsync(string? name, CancellationToken cancel)
    {
        var model = Find(name);
        Task<Engine>? loading;
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
        catch
        {
            GiveBack(model);
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

    /// <summary>Drops the models that nobody has used for <see cref="QuiltOptions.IdleTime"/>.</summary>
    public void DropIdle()
    {
        if (options.IdleTime is not { } idle) return;
        foreach (var engine in Take(model => time.GetElapsedTime(model.LastUsed) >= idle)) engine.Dispose();
    }

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
        foreach (var model in all)
        {
            model.Engine?.Dispose();
            model.Engine = null;
        }
        closing.Dispose();
    }

    // Under the gate; what takes time runs on the engine's own thread.
    private async Task<Engine> LoadAsync(ServedModel model)
    {
        await Task.Yield();
        try
        {
            MakeRoom(model);
            var own = options.EngineOptions;
            if (Observer(model) is { } observer) own = own with { Observer = observer };
            var engine = await Engine.OpenAsync(model.Folder, own, Progress(model), closing.Token).ConfigureAwait(false);
            if (Watch is not null) await Watch.OpenedAsync(model, engine, closing.Token).ConfigureAwait(false);
            lock (gate)
            {
                (model.Engine, model.Loading) = (engine, null);
            }
            return engine;
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
        if (options.ModelMemory is null) return;
        var budget = ByteSize.Parse(options.ModelMemory, nameof(QuiltOptions.ModelMemory));
        var needed = FolderBytes(wanted.Folder) + (options.EngineOptions.KvMemory ?? 0);
        while (needed + all.Sum(model => model.Engine?.Memory.Total ?? 0) > budget)
        {
            ServedModel? oldest;
            lock (gate) oldest = all.Where(CanDrop).MinBy(model => model.LastUsed);
            if (oldest is null)
                throw ApiException.Unavailable($"There is no memory for the model `{wanted.Name}` while others are in use.", retryAfter: 5);
            foreach (var engine in Take(model => model == oldest)) engine.Dispose();
        }
    }

    private List<Engine> Take(Func<ServedModel, bool> which)
    {
        var taken = new List<Engine>();
        lock (gate)
        {
            foreach (var model in all.Where(model => CanDrop(model) && which(model)))
            {
                taken.Add(model.Engine!);
                Watch?.Dropped(model, model.Engine!);
                model.Engine = null;
            }
        }
        return taken;
    }

    private static bool CanDrop(ServedModel model) => model is { IsPinned: false, Users: 0, Engine: not null };

    private static long FolderBytes(string folder) => new DirectoryInfo(folder).EnumerateFiles("*.safetensors").Sum(file => file.Length);

    private static string NameOf(string folder) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));

    private static string Shown(string name) => name.Length <= 200 ? name : name[..200] + "…";
}
