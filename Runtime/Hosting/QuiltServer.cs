using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Quilt.Hosting.Http;
using Quilt.Hosting.Models;
using Quilt.Hosting.Telemetry;
using Quilt.Runtime.Sampling;

namespace Quilt.Hosting;

/// <summary>What all endpoints share: the models, the options, the clock, and whether the server takes requests.</summary>
internal sealed class QuiltServer(ServedModels models, IOptions<QuiltServerOptions> options, TimeProvider time,
    RequestTracing tracing, IHostApplicationLifetime? lifetime = null) : IDisposable
{
    /// <summary>Requests at once from which streams save up what they send (<see cref="Beat"/>).</summary>
    public const int ManyStreams = 16;

    private readonly Beat beat = new(time);
    private volatile bool isStopping;
    private int load;

    /// <summary>The models.</summary>
    public ServedModels Models { get; } = models;

    /// <summary>How it answers.</summary>
    public QuiltServerOptions Options { get; } = options.Value;

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; } = time;

    /// <summary>Where requests are accounted for.</summary>
    public RequestTracing Tracing { get; } = tracing;

    /// <summary>The pulse of its streams, where they are many.</summary>
    public Beat? Beat => Load >= ManyStreams ? beat : null;

    /// <summary>Requests that are being answered.</summary>
    public int Load => Volatile.Read(ref load);

    /// <summary>Takes no new requests from now on.</summary>
    public void Stop() => isStopping = true;

    /// <summary>Whether it stops, and takes no new requests.</summary>
    public bool IsStopping => isStopping || (lifetime?.ApplicationStopping.IsCancellationRequested ?? false);

    /// <summary>Sampling options of a request that says nothing.</summary>
    public SamplingOptions DefaultsOf(ModelLease lease) => Models.SamplingOf(lease.Engine);

    /// <summary>The model that a request asks for, loaded. What keeps it from loading is the host's affair, which its log tells.</summary>
    /// <exception cref="ApiException">There is none of that name, it cannot be loaded, or there is no room for it now.</exception>
    public async Task<ModelLease> UseAsync(string? name, CancellationToken cancel)
    {
        try
        {
            return await Models.UseAsync(name, cancel).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not (ApiException or OperationCanceledException or ObjectDisposedException))
        {
            throw new ApiException(503, "InternalServerError", $"The model `{Models.Find(name).Name}` cannot be loaded.");
        }
    }

    /// <summary>Runs a request that costs the engine something: counted, and refused once the server stops.</summary>
    public async Task CountedAsync(HttpContext http, Func<HttpContext, QuiltServer, Task> answer)
    {
        if (IsStopping) throw ApiException.Unavailable("The server is shutting down.");
        Interlocked.Increment(ref load);
        try
        {
            await answer(http, this).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref load);
        }
    }

    public void Dispose() => beat.Dispose();
}
