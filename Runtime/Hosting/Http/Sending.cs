using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Quilt.Hosting.Http;

/// <summary>
/// Bounds how long a client may take nothing. Kestrel's own rate counts every write as so many seconds of patience: after a stream of many small
/// ones, or within a large one, that is for ever.
/// </summary>
internal static class Sending
{
    private const int PartBytes = 64 << 10;

    /// <summary>
    /// Waits until the client has taken enough for a write to go through; drops it after <see cref="QuiltServerOptions.SendTime"/>.
    /// </summary>
    /// <param name="http">The request.</param>
    /// <param name="write">The write.</param>
    /// <exception cref="OperationCanceledException">It was dropped.</exception>
    public static async Task<T> WaitAsync<T>(HttpContext http, Task<T> write)
    {
        try
        {
            var options = http.RequestServices.GetRequiredService<IOptions<QuiltServerOptions>>().Value;
            return await write.WaitAsync(options.SendTime).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            http.Abort();
            // The write ends with the connection; the buffer that it sends from is in use until then.
            await ((Task)write).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw new OperationCanceledException("The client takes nothing of its answer.");
        }
    }

    /// <summary>Sends an answer's body in parts, each within its time.</summary>
    /// <inheritdoc cref="WaitAsync" path="/exception"/>
    public static async Task WriteAsync(HttpContext http, ReadOnlyMemory<byte> bytes)
    {
        var pipe = http.Response.BodyWriter;
        while (!bytes.IsEmpty)
        {
            var part = bytes[..Math.Min(bytes.Length, PartBytes)];
            var sending = pipe.WriteAsync(part, http.RequestAborted);
            var sent = sending.IsCompletedSuccessfully ? sending.Result : await WaitAsync(http, sending.AsTask()).ConfigureAwait(false);
            if (sent.IsCompleted || sent.IsCanceled) return;
            bytes = bytes[part.Length..];
        }
    }
}
