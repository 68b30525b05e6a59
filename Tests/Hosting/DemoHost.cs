using Quilt.Hosting;
using Quilt.Hosting.Models;
using Quilt.Runtime;

namespace Quilt.Tests.Hosting;

/// <summary>The demo model, loaded once for all tests of hosting, and models of a host over it.</summary>
internal static class DemoHost
{
    /// <summary>Its checkpoint folder.</summary>
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "Golden", "models", "demo", "fp8-int4");

    private static readonly Lazy<Task<Engine>> Loaded = new(() => Engine.OpenAsync(Folder, new EngineOptions { Threads = 2 }));

    /// <summary>An engine of it that all tests share: nobody may dispose of it.</summary>
    public static Task<Engine> EngineAsync() => Loaded.Value;

    /// <summary>Served models that hold the shared engine under the name <c>demo</c>, and answer by a script where one is given.</summary>
    /// <remarks>Not to be disposed of, which would take the engine from the other tests.</remarks>
    public static async Task<ServedModels> ModelsAsync(Script? script = null)
    {
        var models = new ServedModels(new QuiltOptions { Model = Folder, ModelNames = { "demo" } }, TimeProvider.System);
        models.All[0].Engine = await EngineAsync();
        if (script is not null) models.All[0].Submit = script.Submit;
        return models;
    }
}
