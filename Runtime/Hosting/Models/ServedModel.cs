using Quilt.Hosting.Page;
using Quilt.Runtime;

namespace Quilt.Hosting.Models;

/// <summary>A model under the names that requests ask for it; loaded, or not yet.</summary>
internal sealed class ServedModel(IReadOnlyList<string> names, string folder)
{
    private volatile Engine? engine;

    /// <summary>Its names; the first is the one that answers carry.</summary>
    public IReadOnlyList<string> Names { get; } = names;

    /// <summary>The name that answers carry.</summary>
    public string Name => Names[0];

    /// <summary>The checkpoint folder. Not for clients.</summary>
    public string Folder { get; } = Path.GetFullPath(folder);

    /// <summary>When it was first served, in seconds since 1970.</summary>
    public long Created { get; init; }

    /// <summary>Whether it stays loaded whatever else is asked for.</summary>
    public bool IsPinned { get; init; }

    /// <summary>Its requests as the page draws them; hears what an engine of it does.</summary>
    public RequestLanes Lanes { get; } = new();

    /// <summary>The engine; null while it is not loaded.</summary>
    public Engine? Engine
    {
        get => engine;
        set => engine = value;
    }

    /// <summary>Requests that use it now; guarded by <see cref="ServedModels"/>.</summary>
    public int Users { get; set; }

    /// <summary>When it was last loaded or given back, on the clock of <see cref="ServedModels"/>.</summary>
    public long LastUsed { get; set; }

    /// <summary>Loading that runs; null where none does.</summary>
    public Task<Engine>? Loading { get; set; }

    /// <summary>Whether it can make room for another: loaded, and nobody uses it.</summary>
    public bool CanBeDropped => this is { IsPinned: false, Users: 0, Engine: not null };

    /// <summary>How a request reaches the engine. Tests put a script in its place.</summary>
    public Func<Engine, GenerationRequest, CancellationToken, IReadOnlyList<Generation>> Submit { get; set; } =
        static (engine, request, cancel) => engine.Submit(request, cancel);
}
