using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Quilt.Formats;

namespace Quilt.Hosting.Http;

/// <summary>A request's body as JSON: bounded in size, depth and the time it takes to arrive.</summary>
internal static class RequestBody
{
    /// <summary>Reads the body's object.</summary>
    /// <exception cref="ApiException">It is too large, too slow, or no JSON object.</exception>
    public static async Task<Fields> ReadAsync(HttpContext http, QuiltServerOptions options)
    {
        CheckType(http.Request);
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = options.MaxBodyBytes;
        if (http.Request.ContentLength > options.MaxBodyBytes) throw TooLarge(options);
        using var late = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        late.CancelAfter(options.BodyTime);
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(http.Request.ContentLength ?? 4096, 4096, 1 << 20));
        var length = 0;
        try
        {
            while (true)
            {
                var read = await http.Request.Body.ReadAsync(buffer.AsMemory(length), late.Token).ConfigureAwait(false);
                if (read == 0) break;
                length += read;
                if (length > options.MaxBodyBytes) throw TooLarge(options);
                if (length == buffer.Length) Grow(ref buffer, length);
            }
            return new Fields(Parse(buffer.AsMemory(0, length), options), "body");
        }
        catch (OperationCanceledException) when (!http.RequestAborted.IsCancellationRequested)
        {
            throw new ApiException(408, "RequestTimeout", $"The request's body did not arrive within {options.BodyTime.TotalSeconds:0} s.");
        }
        catch (BadHttpRequestException bad)
        {
            throw bad.StatusCode == 413 ? TooLarge(options) : new ApiException(bad.StatusCode, "BadRequestError", "The request's body is damaged.");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    private static JsonElement Parse(ReadOnlyMemory<byte> json, QuiltServerOptions options)
    {
        try
        {
            return JsonText.ParseObject(json, "body", options.MaxDepth);
        }
        catch (BadInputException bad)
        {
            throw ApiException.Bad($"The request's body {bad.Message[(bad.Origin.Length + 2)..]}");
        }
    }

    // A page of another origin can send text without asking first, but not JSON.
    private static void CheckType(HttpRequest request)
    {
        var type = request.ContentType.AsSpan();
        var media = (type.IndexOf(';') is >= 0 and var end ? type[..end] : type).Trim();
        if (!media.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            && !media.EndsWith("+json", StringComparison.OrdinalIgnoreCase))
        {
            throw new ApiException(415, "BadRequestError",
                $"Content-Type: expected application/json, found {(media.IsEmpty ? "none" : Fields.Shown(media.ToString()))}.");
        }
        if (request.Headers.ContentEncoding.Count > 0 && request.Headers.ContentEncoding != "identity")
            throw new ApiException(415, "BadRequestError", "Content-Encoding: expected none, found one.");
    }

    private static void Grow(ref byte[] buffer, int length)
    {
        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        buffer = larger;
    }

    private static ApiException TooLarge(QuiltServerOptions options) =>
        new(413, "BadRequestError", $"The request's body is too large: expected at most {options.MaxBodyBytes} bytes.");
}
