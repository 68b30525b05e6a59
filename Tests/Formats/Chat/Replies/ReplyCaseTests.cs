using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Formats.Chat.Replies;

namespace Quilt.Tests.Formats.Chat.Replies;

/// <summary>
/// Recorded replies of MiniMax-M2 and what other engines make of them, and our own few; a case's kind and policy say how it is to be read.
/// </summary>
[Parallelizable(ParallelScope.Self)]
public sealed class ReplyCaseTests
{
    /// <summary>Kinds of cases that hold a reply; <c>reply</c> names its dialect.</summary>
    internal static readonly string[] ReadKinds =
        ["reply", "tool_parser_full", "tool_parser_stream", "reasoning_full", "reasoning_stream", "combined_full", "combined_stream",
            "append_think_full", "append_think_stream"];

    public static IEnumerable<TestCaseData> SharedReplies() => ReplyCases.Of(Shared.Files("cases", "*.json"), ReadKinds);

    public static IEnumerable<TestCaseData> SharedArguments() => ReplyCases.Of(Shared.Files("cases", "*.json"), ["param_coercion"]);

    public static IEnumerable<TestCaseData> SharedTokens() => ReplyCases.Of(Shared.Files("cases", "*.json"), ["reasoning_token_ids"]);

    public static IEnumerable<TestCaseData> OwnReplies() => ReplyCases.Of(ReplyCases.Own(), ReadKinds);

    public static IEnumerable<TestCaseData> OwnArguments() => ReplyCases.Of(ReplyCases.Own(), ["param_coercion"]);

    public static IEnumerable<TestCaseData> OwnTokens() => ReplyCases.Of(ReplyCases.Own(), ["reasoning_token_ids"]);

    [Category("Conformance")]
    [TestCaseSource(nameof(SharedReplies))]
    public void A_reply_is_understood_as_recorded(JsonElement? test) => Reply(test);

    [Category("Conformance")]
    [TestCaseSource(nameof(SharedArguments))]
    public void An_argument_becomes_the_recorded_value(JsonElement? test) => Argument(test);

    [Category("Conformance")]
    [TestCaseSource(nameof(SharedTokens))]
    public void Thinking_is_found_among_tokens_as_recorded(JsonElement? test) => Tokens(test);

    [TestCaseSource(nameof(OwnReplies))]
    public void A_reply_of_our_own_is_understood(JsonElement? test) => Reply(test);

    [TestCaseSource(nameof(OwnArguments))]
    public void An_argument_of_our_own_becomes_its_value(JsonElement? test) => Argument(test);

    [TestCaseSource(nameof(OwnTokens))]
    public void Thinking_is_found_among_tokens_of_our_own(JsonElement? test) => Tokens(test);

    private static void Reply(JsonElement? test)
    {
        var c = new ReplyCase(ReplyCases.Given(test));
        var whole = c.Chunks is { } chunks
            ? ReplyReading.Of(c.CreateParser(), chunks, c.IsFinal)
            : ReplyReading.Of(c.CreateParser(), c.Output, finish: c.IsFinal);
        Assert.Multiple(() =>
        {
            foreach (var expectation in c.Expected.EnumerateObject()) Check(c, whole, expectation.Name, expectation.Value);
        });

        // However the text is cut, it says the same. Markers that came as tokens only are not in the text.
        if (c.Chunks?.Any(piece => piece.Id is not null) == true) return;
        foreach (var size in c.ChunkSizes)
            Assert.That(ReplyReading.Of(c.CreateParser(), c.Output, size, c.IsFinal).Summary(), Is.EqualTo(whole.Summary()), $"in pieces of {size}");
    }

    private static void Argument(JsonElement? test)
    {
        var c = ReplyCases.Given(test);
        var schema = new JsonObject
        { ["type"] = "object", ["properties"] = new JsonObject { ["p"] = JsonNode.Parse(c.GetProperty("schema").GetRawText()) } };
        var reply = new JsonObject
        {
            ["kind"] = "tool_parser_full",
            ["policy"] = c.TryGetProperty("policy", out var policy) ? policy.GetString() : "",
            ["tools"] = new JsonArray(new JsonObject { ["name"] = "f", ["parameters"] = schema }),
            ["model_output"] =
                $"<minimax:tool_call><invoke name=\"f\"><parameter " +
                $"name=\"p\">{c.GetProperty("raw").GetString()}</parameter></invoke></minimax:tool_call>",
            ["expected"] = new JsonObject
            {
                ["content"] = null,
                ["tool_calls"] = new JsonArray(new JsonObject
                { ["name"] = "f", ["arguments"] = new JsonObject { ["p"] = JsonNode.Parse(c.GetProperty("expected").GetRawText()) } }),
            },
        };
        using var wrapped = JsonDocument.Parse(reply.ToJsonString());
        Reply(wrapped.RootElement);
    }

    private static void Tokens(JsonElement? test)
    {
        var c = ReplyCases.Given(test);
        var ids = Integers(c.GetProperty("token_ids"));
        var dialect = c.TryGetProperty("dialect", out var named) ? named.GetString()! : "minimax_m2";
        var startsThinking = !c.TryGetProperty("starts_thinking", out var starts) || starts.GetBoolean();
        var parser = ReplyParser.Create(dialect,
            new ReplyOptions { StartsThinking = startsThinking,
            MarkerIds = c.GetProperty("vocab").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetInt32()) });
        var span = parser.FindThinking(ids);
        var expected = c.GetProperty("expected");
        int[] content = [.. ids[..span.WithMarkers.Start], .. ids[span.WithMarkers.End..]];
        // What a case does not tell may be anything.
        if (expected.TryGetProperty("reasoning_ids", out var thinkingIds)) Assert.That(ids[span.Thinking], Is.EqualTo(Integers(thinkingIds)));
        if (expected.TryGetProperty("content_ids", out var contentIds)) Assert.That(content, Is.EqualTo(Integers(contentIds)));
        if (expected.TryGetProperty("still_reasoning", out var open)) Assert.That(span.IsOpen, Is.EqualTo(open.GetBoolean()));
    }

    private static void Check(ReplyCase c, ReplyReading reading, string what, JsonElement expected)
    {
        switch (what)
        {
            case "content": Assert.That(Compared(reading.Text), Is.EqualTo(Compared(expected.GetString() ?? "")), what); break;
            case "reasoning": Assert.That(Compared(reading.Thinking), Is.EqualTo(Compared(expected.GetString() ?? "")), what); break;
            case "tool_calls": CheckCalls(c, reading, expected); break;
            case "indices": Assert.That(reading.Calls.Select(call => call.Index), Is.EqualTo(Integers(expected)), what); break;
            case "arguments_text":
                Assert.That(string.Concat(reading.Calls.Select(call => call.Arguments)), Is.EqualTo(expected.GetString()), what);
                break;
            case "is_reasoning_end": Assert.That(!reading.Parser.IsThinking, Is.EqualTo(expected.GetBoolean()), what); break;
            case "complete":
                Assert.That(reading.Calls.Select(call => call.IsComplete), Is.EqualTo(expected.EnumerateArray().Select(e => e.GetBoolean())), what);
                break;
            case "in_tool_call": Assert.That(InCallsBeforeFinish(c), Is.EqualTo(expected.GetBoolean()), what); break;
            case "content_contains":
                Assert.That(expected.EnumerateArray().Select(part => part.GetString()),
                    Is.All.Matches<string?>(part => reading.Text.Contains(part!, StringComparison.Ordinal)), what);
                break;
            case "content_excludes":
                Assert.That(expected.EnumerateArray().Select(part => part.GetString()),
                    Is.All.Not.Matches<string?>(part => reading.Text.Contains(part!, StringComparison.Ordinal)), what);
                break;
            case "content_before_finish":
                Assert.That(string.Concat(reading.Events.Take(reading.BeforeFinish).OfType<ReplyText>().Select(t => t.Text)),
                    Is.EqualTo(expected.GetString()), what);
                break;
            case "flush_nonempty": Assert.That(reading.Events.Count > reading.BeforeFinish, Is.EqualTo(expected.GetBoolean()), what); break;
            case "emitted_deltas": Assert.That(reading.Events, Has.Count.EqualTo(expected.GetInt32()), what); break;
            case "last_delta_content":
                Assert.That(string.Concat(reading.Events.Skip(reading.BeforeLastPiece).OfType<ReplyText>().Select(t => t.Text)),
                    Is.EqualTo(expected.GetString()), what);
                break;
            case "first_tool_delta":
                Assert.That(reading.Events.First(e => e is ToolCallBegun or ToolCallArguments or ToolCallEnded),
                    Is.EqualTo(new ToolCallBegun(0, expected.GetProperty("name").GetString()!)), what);
                break;
            case "argument_fragments":
                Assert.That(Unspaced(reading.ArgumentsBeforeFinish()),
                    Is.EqualTo(Unspaced(string.Concat(expected.EnumerateArray().Select(f => f.GetString())))), what);
                break;
            case "fragments": Assert.That(Fragments(reading), Is.EqualTo(Fragments(expected)), what); break;
            default: throw new AssertionException($"The case expects '{what}', which this fixture does not know.");
        }

        string Compared(string text) => ReplyCaseTests.Compared(c, text);
    }

    // Values are compared as JSON: by what numbers are worth, whatever the spaces; a call's arguments in their order. Of a call that tells no name
    // or no arguments these may be anything; its indices are those of its events, in the order in which they are emitted.
    private static void CheckCalls(ReplyCase c, ReplyReading reading, JsonElement expected)
    {
        Assert.That(reading.Calls, Has.Count.EqualTo(expected.GetArrayLength()), "tool_calls");
        foreach (var (call, wanted) in reading.Calls.Zip(expected.EnumerateArray()))
        {
            foreach (var part in wanted.EnumerateObject())
            {
                switch (part.Name)
                {
                    case "name": Assert.That(call.Name, Is.EqualTo(part.Value.GetString())); break;
                    case "arguments":
                        Assert.That(Compared(c, Canonical(call.Arguments)), Is.EqualTo(Compared(c, Canonical(part.Value.GetRawText()))), call.Name);
                        break;
                    case "index": Assert.That(call.Index, Is.EqualTo(part.Value.GetInt32())); break;
                    case "indices": Assert.That(Integers(part.Value), Is.All.EqualTo(call.Index)); break;
                    default: throw new AssertionException($"The case's calls tell '{part.Name}', which this fixture does not know.");
                }
            }
        }
    }

    private static string Compared(ReplyCase c, string text) =>
        c.IsRewrittenByAFork ? string.Concat(text.Where(ch => !char.IsWhiteSpace(ch))) : c.Trims ? text.Trim() : text;

    private static bool InCallsBeforeFinish(ReplyCase c) =>
        ReplyReading.Of(c.CreateParser(), c.Chunks ?? [new Piece(c.Output, null)], finish: false).Parser.IsInToolCalls;

    // A name, then the arguments, call by call; where engines cut the arguments is their own affair.
    private static List<string> Fragments(ReplyReading reading) => Joined(reading.Events.Select(e => e switch
    {
        ToolCallBegun begun => (begun.Index, begun.Name, ""),
        ToolCallArguments more => (more.Index, null, more.Json),
        _ => (-1, (string?)null, ""),
    }));

    private static List<string> Fragments(JsonElement expected) =>
        Joined(expected.EnumerateArray().Select(f => (f[0].GetInt32(), f[1].GetString(), f[2].GetString() ?? "")));

    private static List<string> Joined(IEnumerable<(int Index, string? Name, string Arguments)> fragments)
    {
        var joined = new List<string>();
        foreach (var (index, name, arguments) in fragments)
        {
            if (name is not null) joined.Add($"{index} {name} ");
            if (index >= 0) joined[^1] += arguments;
        }
        return joined;
    }

    internal static string Canonical(string json)
    {
        using var document = JsonDocument.Parse(json);
        return Canonical(document.RootElement);
    }

    private static string Canonical(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object =>
            $"{{{string.Join(',', value.EnumerateObject().Select(p => JsonSerializer.Serialize(p.Name) + ":" + Canonical(p.Value)))}}}",
        JsonValueKind.Array => $"[{string.Join(',', value.EnumerateArray().Select(Canonical))}]",
        JsonValueKind.String => JsonSerializer.Serialize(value.GetString()),
        JsonValueKind.Number when !value.GetRawText().AsSpan().ContainsAny('.', 'e', 'E') => value.GetRawText(),
        JsonValueKind.Number => value.GetDouble() is var real && real == Math.Floor(real) ? real.ToString("F0") : real.ToString("R"),
        _ => value.GetRawText(),
    };

    private static string Unspaced(string json) => string.Concat(json.Where(ch => ch != ' '));

    private static int[] Integers(JsonElement list) => [.. list.EnumerateArray().Select(n => n.GetInt32())];
}
