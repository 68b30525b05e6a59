using System.Text.Json;
using System.Text.Json.Nodes;

namespace Quilt.Tests.Hosting.OpenAi;

/// <summary>A response put together from its events, as clients do it.</summary>
internal static class StreamedResponse
{
    /// <summary>The items as the events build them, and the response as the last event says it.</summary>
    public static (JsonArray Built, JsonObject Last) Of(IReadOnlyList<JsonElement> events)
    {
        var built = new JsonArray();
        foreach (var one in events)
        {
            var place = one.TryGetProperty("output_index", out var index) ? index.GetInt32() : -1;
            switch (one.GetProperty("type").GetString())
            {
                case "response.output_item.added":
                    Assert.That(place, Is.EqualTo(built.Count));
                    built.Add(Node(one, "item"));
                    break;
                case "response.content_part.added":
                    built[place]!["content"]!.AsArray().Add(Node(one, "part"));
                    break;
                case "response.reasoning_text.delta" or "response.output_text.delta":
                    var part = built[place]!["content"]![0]!;
                    part["text"] = (string)part["text"]! + one.GetProperty("delta").GetString();
                    if (one.TryGetProperty("logprobs", out var more))
                    {
                        foreach (var token in more.EnumerateArray()) part["logprobs"]!.AsArray().Add(JsonNode.Parse(token.GetRawText()));
                    }
                    break;
                case "response.function_call_arguments.delta":
                    built[place]!["arguments"] = (string)built[place]!["arguments"]! + one.GetProperty("delta").GetString();
                    break;
                case "response.content_part.done":
                    Assert.That(JsonNode.DeepEquals(built[place]!["content"]![0], Node(one, "part")), Is.True, $"{one}");
                    break;
                case "response.reasoning_text.done" or "response.output_text.done":
                    Assert.That(one.GetProperty("text").GetString(), Is.EqualTo((string)built[place]!["content"]![0]!["text"]!));
                    break;
                case "response.function_call_arguments.done":
                    Assert.That(one.GetProperty("arguments").GetString(), Is.EqualTo((string)built[place]!["arguments"]!));
                    break;
                case "response.output_item.done":
                    // Its status, and what was sealed, come with the end alone.
                    var item = Node(one, "item")!;
                    built[place]!["status"] = item["status"]!.DeepClone();
                    if (item["encrypted_content"] is { } own) built[place]!["encrypted_content"] = own.DeepClone();
                    Assert.That(JsonNode.DeepEquals(built[place], item), Is.True, $"built {built[place]}, said {item}");
                    break;
            }
        }
        return (built, Node(events[^1], "response")!.AsObject());
    }

    /// <summary>Takes the ids out, which differ from one request to the next; they are checked.</summary>
    public static void RemoveIds(JsonObject response)
    {
        Assert.That((string?)response["id"], Does.Match("^resp_[0-9a-f]{48}$"));
        response.Remove("id");
        foreach (var item in response["output"]!.AsArray().Select(item => item!.AsObject()))
        {
            var prefix = (string?)item["type"] switch { "reasoning" => "rs", "message" => "msg", _ => "fc" };
            Assert.That((string?)item["id"], Does.Match($"^{prefix}_[0-9a-f]{{24}}$"));
            item.Remove("id");
            if (prefix != "fc") continue;
            Assert.That((string?)item["call_id"], Does.Match("^call_[0-9a-f]{24}$"));
            item.Remove("call_id");
        }
    }

    private static JsonNode? Node(JsonElement from, string name) => JsonNode.Parse(from.GetProperty(name).GetRawText());
}
