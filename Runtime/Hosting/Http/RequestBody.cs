using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Quilt.Formats;

namespace Quilt.Hosting.Http;

/// <summary>A request's body as JSON: bounded in size, depth and the time it takes to arrive.</summary>
internal static class RequestBody
{
    private const int MostParts = 1 << 22;
    private const int MostProperties = 1 << 18;

    /// <summary>Reads the body's object.</summary>
    /// <exception cref="ApiException">It is too large, too slow, or no JSON object.</exception>
    public static async Task<Fields> ReadAsync(HttpContext http, QuiltServerOptions options)
    {
        CheckType(http.Request);
        // The bound is kept here: Kestrel's own would reset the connection before the client has read what was wrong.
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = null;
        if (http.Request.ContentLength > options.MaxBodyBytes) throw TooLarge(options);
        using var received = new Received(http.Request.ContentLength);
        await FillAsync(http, options, received).ConfigureAwait(false);
        if (received.Length <= Preparation.SmallBytes) return new Fields(Parse(received.Json, options), "body");
        return await Preparation.Of(http).TakeTurnAsync(() => new Fields(Parse(received.Json, options), "body"), http.RequestAborted)
            .ConfigureAwait(false);
    }

    private static async Task FillAsync(HttpContext http, QuiltServerOptions options, Received received)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        late.CancelAfter(options.BodyTime);
        try
        {
            while (true)
            {
                var read = await http.Request.Body.ReadAsync(received.Free, late.Token).ConfigureAwait(false);
                if (read == 0) return;
                received.Add(read);
                if (received.Length > options.MaxBodyBytes) throw TooLarge(options);
                if (received.Length > Preparation.SmallBytes)
                    Preparation.Of(http).Hold(http, Math.Min(read, received.Length - Preparation.SmallBytes));
            }
        }
        catch (OperationCanceledException) when (!http.RequestAborted.IsCancellationRequested)
        {
            // What is still to come of it would be taken for the next request.
            http.Response.Headers.Connection = "close";
            throw new ApiException(408, "RequestTimeout", $"The request's body did not arrive within {options.BodyTime.TotalSeconds:0} s.");
        }
        catch (BadHttpRequestException bad)
        {
            throw bad.StatusCode == 413 ? TooLarge(options)
                : bad.StatusCode == 408 ? new ApiException(408, "RequestTimeout", "The request's body arrives too slowly.")
                : new ApiException(bad.StatusCode, "BadRequestError", "The request's body is damaged.");
        }
        // So come chunks whose length is no number. Where it is the connection that broke, nobody hears of it.
        catch (IOException)
        {
            throw ApiException.Bad("The request's body is damaged.");
        }
    }

    // A property costs a lookup of its name among the others, any part of it a row of a table: both are counted before they are paid for.
    private static void CheckCounts(ReadOnlySpan<byte> json, int maxDepth)
    {
        var (parts, properties) = (0, 0);
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = maxDepth });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.PropertyName) properties++;
                if (++parts > MostParts || properties > MostProperties)
                    throw ApiException.Bad($"The request's body has more than {MostProperties} properties or {MostParts} values.");
            }
        }
        catch (JsonException)
        {
            // Who parses it says what is wrong.
        }
    }

    private static JsonElement Parse(ReadOnlyMemory<byte> json, QuiltServerOptions options)
    {
        if (json.Length > Preparation.SmallBytes) CheckCounts(json.Span, options.MaxDepth);
        try
        {
            return JsonText.ParseObject(json, "body", options.MaxDepth);
        }
        catch (BadInputException bad)
        {
            throw ApiException.Bad(Fields.Shown($"The request's body {bad.Message[(bad.Origin.Length + 2)..]}"));
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

    private static ApiException TooLarge(QuiltServerOptions options) =>
        new(413, "BadRequestError", $"The request's body is too large: expected at most {options.MaxBodyBytes} bytes.");

    /// <summary>What has come of a body. Large ones are left to the collector: a pool would keep what one of them took.</summary>
    private sealed class Received(long? announced) : IDisposable
    {
        private const int MostRented = 1 << 20;
        private byte[] bytes = ArrayPool<byte>.Shared.Rent((int)Math.Clamp((announced ?? 0) + 1, 4096, MostRented));

        public int Length { get; private set; }

        public ReadOnlyMemory<byte> Json => bytes.AsMemory(0, Length);

        public Memory<byte> Free => bytes.AsMemory(Length);

        public void Add(int count)
        {
            Length += count;
            if (Length < bytes.Length) return;
            var size = 2 * bytes.Length;
            var larger = size <= MostRented ? ArrayPool<byte>.Shared.Rent(size) : GC.AllocateUninitializedArray<byte>(size);
            bytes.CopyTo(larger, 0);
            GiveBack();
            bytes = larger;
        }

        public void Dispose() => GiveBack();

        private void GiveBack()
        {
            if (bytes.Length <= MostRented) ArrayPool<byte>.Shared.Return(bytes, clearArray: true);
            bytes = [];
        }
    }
}
