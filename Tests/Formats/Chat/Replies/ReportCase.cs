using System.Text.Json;
using Quilt.Formats.Chat.Replies;

namespace Quilt.Tests.Formats.Chat.Replies;

/// <summary>
/// A reply from a report and what must hold of it: <c>want</c> names the joined thinking, the joined text, the calls, with arguments as JSON values,
/// and the calls that were dropped; what it does not name may be anything.
/// </summary>
internal sealed class ReportCase(JsonElement json)
{
    private readonly JsonElement want = json.GetProperty("want");

    public string Text { get; } = json.GetProperty("text").GetString()!;

    public ReplyParser CreateParser() => ReplyParser.Create(json.GetProperty("dialect").GetString()!, new ReplyOptions
    {
        StartsThinking = json.TryGetProperty("starts_thinking", out var thinks) && thinks.ValueKind == JsonValueKind.True,
        Tools = json.TryGetProperty("tools", out var tools) ? tools : null,
        CallsInThinking = Says("calls_in_thinking", "text") ? CallsInThinking.AsText : CallsInThinking.CarryOut,
        CallsInFences = Says("calls_in_fences", "text") ? CallsInFences.AsText : CallsInFences.CarryOut,
        UndeclaredTools = Says("undeclared_tools", "forward") ? UndeclaredTools.Forward : UndeclaredTools.Drop,
    });

    /// <summary>Asserts that <paramref name="reading"/> says what is wanted.</summary>
    public void Check(ReplyReading reading)
    {
        foreach (var wanted in want.EnumerateObject())
        {
            switch (wanted.Name)
            {
                case "thinking": Assert.That(reading.Thinking, Is.EqualTo(wanted.Value.GetString()), "thinking"); break;
                case "text": Assert.That(reading.Text, Is.EqualTo(wanted.Value.GetString()), "text"); break;
                case "calls": CheckCalls(reading.Calls, wanted.Value); break;
                case "complete":
                    Assert.That(reading.Calls.Select(call => call.IsComplete),
                        Is.EqualTo(wanted.Value.EnumerateArray().Select(complete => complete.GetBoolean())), "complete");
                    break;
                case "dropped":
                    Assert.That(reading.Dropped.Select(dropped => $"{dropped.Reason} {dropped.Name} {dropped.Arguments}"),
                        Is.EqualTo(wanted.Value.EnumerateArray().Select(dropped => dropped.GetString())), "dropped");
                    break;
                default: throw new AssertionException($"The case wants '{wanted.Name}', which this fixture does not know.");
            }
        }
    }

    private static void CheckCalls(List<ToolCallEnded> calls, JsonElement wanted)
    {
        var said = string.Join("; ", calls.Select(call => $"{call.Name} {call.Arguments}"));
        Assert.That(calls.Select(call => call.Name), Is.EqualTo(wanted.EnumerateArray().Select(call => call.GetProperty("name").GetString())), said);
        foreach (var (call, expected) in calls.Zip(wanted.EnumerateArray()))
        {
            using var arguments = JsonDocument.Parse(call.Arguments);
            Assert.That(JsonElement.DeepEquals(arguments.RootElement, expected.GetProperty("arguments")), $"{said}, expected {expected}");
        }
    }

    private bool Says(string name, string value) => json.TryGetProperty(name, out var given) && given.GetString() == value;
}
