using System.Text;
using System.Text.Json;

namespace Quilt.Tests.Hosting;

/// <summary>A reply as it came over HTTP, whole or in pieces.</summary>
internal sealed class HttpReply
{
    private readonly List<(string Name, StringBuilder Arguments)> calls = [];

    /// <summary>Its text; null where there was none.</summary>
    public string? Content { get; private set; }

    /// <summary>Its thinking; null where there was none.</summary>
    public string? Reasoning { get; private set; }

    /// <summary>The same by its other name.</summary>
    public string? ReasoningContent { get; private set; }

    /// <summary>Its calls.</summary>
    public IReadOnlyList<(string Name, string Arguments)> Calls => [.. calls.Select(call => (call.Name, call.Arguments.ToString()))];

    /// <summary>Why it ended.</summary>
    public string? FinishReason { get; private set; }

    /// <summary>Of an answer that came whole.</summary>
    public static HttpReply Whole(JsonElement answer)
    {
        var choice = answer.GetProperty("choices")[0];
        var message = choice.GetProperty("message");
        var reply = new HttpReply
        {
            Content = message.GetProperty("content").GetString(),
            Reasoning = message.GetProperty("reasoning").GetString(),
            ReasoningContent = message.TryGetProperty("reasoning_content", out var other) ? other.GetString() : null,
            FinishReason = choice.GetProperty("finish_reason").GetString(),
        };
        if (!message.TryGetProperty("tool_calls", out var calls)) return reply;
        foreach (var call in calls.EnumerateArray())
        {
            Assert.That(call.GetProperty("id").GetString(), Does.Match("^call_[0-9a-f]{24}$"));
            var function = call.GetProperty("function");
            reply.calls.Add((function.GetProperty("name").GetString()!, new StringBuilder(function.GetProperty("arguments").GetString())));
        }
        return reply;
    }

    /// <summary>Of a stream's chunks.</summary>
    public static HttpReply Of(IEnumerable<JsonElement> chunks)
    {
        var reply = new HttpReply();
        foreach (var choice in chunks.SelectMany(chunk => chunk.GetProperty("choices").EnumerateArray()))
        {
            var delta = choice.GetProperty("delta");
            if (delta.TryGetProperty("content", out var text) && (text.GetString()!.Length > 0)) reply.Content += text.GetString();
            if (delta.TryGetProperty("reasoning", out var thought)) reply.Reasoning += thought.GetString();
            if (delta.TryGetProperty("reasoning_content", out var same)) reply.ReasoningContent += same.GetString();
            foreach (var call in delta.TryGetProperty("tool_calls", out var calls) ? [.. calls.EnumerateArray()] : Array.Empty<JsonElement>())
                reply.Take(call);
            if (choice.GetProperty("finish_reason").GetString() is { } reason)
            {
                Assert.That(reply.FinishReason, Is.Null, "ended twice");
                reply.FinishReason = reason;
            }
        }
        return reply;
    }

    // A call's first piece has its id and name, the others none; indices are dense, in the order of emission.
    private void Take(JsonElement call)
    {
        var index = call.GetProperty("index").GetInt32();
        var function = call.GetProperty("function");
        if (call.TryGetProperty("id", out var id))
        {
            Assert.That(index, Is.EqualTo(calls.Count));
            Assert.That(id.GetString(), Does.Match("^call_[0-9a-f]{24}$"));
            calls.Add((function.GetProperty("name").GetString()!, new StringBuilder()));
        }
        else Assert.That(function.TryGetProperty("name", out _), Is.False, "a name without an id");
        calls[index].Arguments.Append(function.GetProperty("arguments").GetString());
    }
}
