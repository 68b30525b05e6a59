using Quilt.Runtime;

namespace Quilt.Hosting.Models;

/// <summary>A loaded model, which stays loaded until this is disposed of.</summary>
internal sealed class ModelLease(ServedModels owner, ServedModel model, Engine engine) : IDisposable
{
    private int disposed;

    /// <summary>The model.</summary>
    public ServedModel Model { get; } = model;

    /// <summary>Its engine.</summary>
    public Engine Engine { get; } = engine;

    /// <summary>Answers a request.</summary>
    /// <inheritdoc cref="Engine.Submit(GenerationRequest, CancellationToken)"/>
    public IReadOnlyList<Generation> Submit(GenerationRequest request, CancellationToken cancel) => Model.Submit(Engine, request, cancel);

    /// <summary>Gives it back.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 0) owner.GiveBack(Model);
    }
}
