using System.Text.Json;
using Quilt.Hosting.Http;
using Quilt.Hosting.Wire;

namespace Quilt.Hosting.OpenAi;

/// <summary>An error within a stream: an event that says so, and the end.</summary>
internal static class StreamErrors
{
    /// <summary>Writes it.</summary>
    public static void Write(SseWriter sse, Exception error)
    {
        JsonSerializer.Serialize(sse.Begin(), ErrorReply.Body(Failure.Of(error)), WireJson.Default.ErrorBody);
        sse.End();
        sse.Raw("[DONE]"u8);
    }
}
