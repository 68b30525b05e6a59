using System.Text.Json;
using System.Text.Json.Nodes;

namespace Quilt.Tests.Hosting.Anthropic;

/// <summary>A message put together from its events, as clients do it.</summary>
internal static class StreamedMessage
{
    /// <summary>The message. The order of its events is checked on the way.</summary>
    public static JsonObject Of(IReadOnlyList<JsonElement> events)
    {
        Assert.That(events.Types()[0], Is.EqualTo("message_start"));
        Assert.That(events.Types()[^1], Is.EqualTo("message_stop"));
        var message = JsonNode.Parse(events[0].GetProperty("message").GetRawText())!.AsObject();
        var content = message["content"]!.AsArray();
        JsonObject? open = null;
        var arguments = "";
        foreach (var one in events.Skip(1))
        {
            switch (one.GetProperty("type").GetString())
            {
                case "content_block_start":
                    Assert.That(open, Is.Null);
                    Assert.That(one.GetProperty("index").GetInt32(), Is.EqualTo(content.Count));
                    open = JsonNode.Parse(one.GetProperty("content_block").GetRawText())!.AsObject();
                    if (open.ContainsKey("text")) open["citations"] = null;
                    content.Add(open);
                    arguments = "";
                    break;
                case "content_block_delta":
                    Assert.That(one.GetProperty("index").GetInt32(), Is.EqualTo(content.Count - 1));
                    arguments = Grow(open!, one.GetProperty("delta"), arguments);
                    break;
                case "content_block_stop":
                    if (arguments.Length > 0) open!["input"] = JsonNode.Parse(arguments);
                    open = null;
                    break;
                case "message_delta":
                    foreach (var field in one.GetProperty("delta").EnumerateObject()) message[field.Name] = JsonNode.Parse(field.Value.GetRawText());
                    message["usage"] = JsonNode.Parse(one.GetProperty("usage").GetRawText());
                    break;
            }
        }
        return message;
    }

    /// <summary>A message without what differs from one request to the next: the ids, which are checked.</summary>
    public static JsonObject WithoutIds(JsonObject message)
    {
        Assert.That((string?)message["id"], Does.Match("^msg_[0-9a-f]{24}$"));
        message.Remove("id");
        foreach (var call in message["content"]!.AsArray().OfType<JsonObject>().Where(block => block.ContainsKey("input")))
        {
            Assert.That((string?)call["id"], Does.Match("^toolu_[0-9a-f]{24}$"));
            call.Remove("id");
        }
        return message;
    }

    private static string Grow(JsonObject open, JsonElement delta, string arguments)
    {
        switch (delta.GetProperty("type").GetString())
        {
            case "text_delta":
                open["text"] = (string)open["text"]! + delta.GetProperty("text").GetString();
                break;
            case "thinking_delta":
                open["thinking"] = (string)open["thinking"]! + delta.GetProperty("thinking").GetString();
                break;
            case "signature_delta":
                open["signature"] = delta.GetProperty("signature").GetString();
                break;
            case "input_json_delta":
                return arguments + delta.GetProperty("partial_json").GetString();
            case var other:
                Assert.Fail($"found {other}");
                break;
        }
        return arguments;
    }
}
