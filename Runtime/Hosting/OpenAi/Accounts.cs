using Quilt.Hosting.Telemetry;
using Quilt.Runtime;

namespace Quilt.Hosting.OpenAi;

/// <summary>The account of a request while it is answered: whatever becomes of it, it is written when this is disposed of.</summary>
internal sealed class Accounts : IDisposable
{
    private readonly RequestTrace trace;
    private readonly IReadOnlyList<Generation> generations;

    private Accounts(RequestTrace trace, IReadOnlyList<Generation> generations) => (this.trace, this.generations) = (trace, generations);

    /// <summary>Opens it.</summary>
    /// <param name="server">The server.</param>
    /// <param name="operation">What is done, one of <see cref="TelemetryNames"/>.</param>
    /// <param name="request">What the engine was asked for.</param>
    /// <param name="terms">How it is answered.</param>
    /// <param name="generations">The replies.</param>
    public static Accounts Open(QuiltServer server, string operation, GenerationRequest request, ReplyTerms terms,
        IReadOnlyList<Generation> generations) => new(
        server.Tracing.Start(operation, terms.Model, request.Sampling!, terms.Id, generations.Count, terms.IsStream), generations);

    /// <summary>Writes it: replies that have no end were given up.</summary>
    public void Dispose()
    {
        foreach (var generation in generations)
        {
            if (generation.End is { } end) trace.End(end);
        }
        trace.Dispose();
    }
}
