using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Quilt.Hosting.Http;

/// <summary>
/// Keeps large requests from taking the server from small ones. Parsing, rendering, tokenizing and compiling are work on a request's own thread: of
/// those that may be long, half as many run at a time as there are processors, and the bytes of large bodies that are held have a bound together.
/// </summary>
internal sealed class Preparation : IDisposable
{
    /// <summary>Bytes up to which a body is small.</summary>
    public const int SmallBytes = 64 << 10;

    private const long MostHeld = 256 << 20;
    private readonly SemaphoreSlim turns = new(Math.Max(1, Environment.ProcessorCount / 2));
    private long held;

    /// <summary>Bytes of large bodies that are held now.</summary>
    public long Held => Volatile.Read(ref held);

    /// <summary>Does a request's work, when it is its turn where that may be long. What was held for its body is free behind it.</summary>
    /// <param name="http">The request.</param>
    /// <param name="body">Its body.</param>
    /// <param name="work">From the body to what the engine runs; all of it is done with the body then.</param>
    /// <exception cref="OperationCanceledException">The client has gone.</exception>
    public static async Task<T> RunAsync<T>(HttpContext http, Fields body, Func<T> work)
    {
        if (!MayBeLong(body)) return work();
        var own = Of(http);
        try
        {
            return await own.TakeTurnAsync(work, http.RequestAborted).ConfigureAwait(false);
        }
        finally
        {
            http.Features.Get<Claim>()?.Dispose();
        }
    }

    /// <summary>The host's.</summary>
    public static Preparation Of(HttpContext http) => http.RequestServices.GetRequiredService<Preparation>();

    /// <summary>Holds so many bytes for a request's body, until it is prepared or at last when it ends.</summary>
    /// <exception cref="ApiException">Others hold as much as there may be.</exception>
    public void Hold(HttpContext http, long bytes)
    {
        if (http.Features.Get<Claim>() is not { } claim)
        {
            claim = new Claim(this);
            http.Features.Set(claim);
            http.Response.RegisterForDispose(claim);
        }
        if (Interlocked.Add(ref held, bytes) > MostHeld)
        {
            Interlocked.Add(ref held, -bytes);
            throw ApiException.Unavailable("The server is busy: it holds as many large requests as it may.");
        }
        claim.Bytes += bytes;
    }

    /// <summary>Does work that may be long when it is its turn.</summary>
    /// <exception cref="OperationCanceledException">Cancelled before that.</exception>
    public async Task<T> TakeTurnAsync<T>(Func<T> work, CancellationToken cancel)
    {
        await turns.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            return work();
        }
        finally
        {
            turns.Release();
        }
    }

    public void Dispose() => turns.Dispose();

    // A long text, or a form that has to be compiled.
    private static bool MayBeLong(Fields body)
    {
        var json = JsonMarshal.GetRawUtf8Value(body.Element);
        return json.Length > SmallBytes
            || body.Has("response_format") || body.Has("structured_outputs") || body.Has("output_config")
            || body.Has("output_format") || body.Has("text") || body.Has("previous_response_id") || body.Has("chat_template")
                || body.Has("tool_choice")
            // A name within can be written with escapes.
            || (body.Has("tools") && (json.IndexOf("\"strict\""u8) >= 0 || json.IndexOf("\\u"u8) >= 0));
    }

    private sealed class Claim(Preparation owner) : IDisposable
    {
        public long Bytes { get; set; }

        public void Dispose()
        {
            Interlocked.Add(ref owner.held, -Bytes);
            Bytes = 0;
        }
    }
}
