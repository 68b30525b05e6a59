using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Quilt.Hosting.Http;

/// <summary>An answer that is one JSON document.</summary>
internal static class JsonReply
{
    /// <summary>Writes it.</summary>
    public static async Task WriteAsync<T>(HttpContext http, T value, JsonTypeInfo<T> type)
    {
        // Whole, so that its length is known: an answer that breaks off is seen to be short.
        var bytes = JsonSerializer.SerializeToUtf8Bytes(value, type);
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = bytes.Length;
        await Sending.WriteAsync(http, bytes).ConfigureAwait(false);
    }
}
