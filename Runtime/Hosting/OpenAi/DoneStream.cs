using System.Text.Json;
using Quilt.Hosting.Http;
using Quilt.Hosting.Wire;
using Quilt.Runtime;

namespace Quilt.Hosting.OpenAi;

/// <summary>
/// What the streams of /v1/completions and /v1/chat/completions have in common: events until all replies are over, the usage if asked for, and
/// <c>[DONE]</c>. Where a reply fails, an event that says so takes the place of all that would follow.
/// </summary>
internal static class DoneStream
{
    /// <summary>Writes all of it; returns when the client has it, or is gone.</summary>
    /// <param name="sse">Where to.</param>
    /// <param name="generations">The replies.</param>
    /// <param name="take">Writes what an event of a choice says.</param>
    /// <param name="writeUsage">Writes the usage; null: nobody asked for it.</param>
    /// <param name="cancel">The client is gone.</param>
    public static async Task WriteAsync(SseWriter sse, IReadOnlyList<Generation> generations, Action<int, GenerationEvent> take, Action? writeUsage,
        CancellationToken cancel)
    {
        var hasFailed = false;
        if (!await EventPump.RunAsync(sse, generations, TryTake, cancel).ConfigureAwait(false)) return;
        if (!hasFailed) writeUsage?.Invoke();
        sse.Raw("[DONE]"u8);
        await sse.FlushAsync(cancel).ConfigureAwait(false);

        bool TryTake(int choice, GenerationEvent happened)
        {
            if (happened.End is { Error: { } error })
            {
                hasFailed = true;
                JsonSerializer.Serialize(sse.Begin(), ErrorReply.Body(Failure.Of(error)), WireJson.Default.ErrorBody);
                sse.End();
            }
            else take(choice, happened);
            return !hasFailed;
        }
    }
}
