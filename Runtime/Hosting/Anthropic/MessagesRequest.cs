using System.Text.Json.Nodes;
using Quilt.Hosting.Http;
using Quilt.Hosting.OpenAi;

namespace Quilt.Hosting.Anthropic;

/// <summary>A request of /v1/messages as one of /v1/chat/completions. What only Anthropic's servers can do is refused by name.</summary>
internal static class MessagesRequest
{
    private const int MostTools = 1024;
    private const int MostStops = 256;
    private static readonly string[] Unbuilt = ["container", "mcp_servers"];

    /// <summary>Turns it into the other's fields.</summary>
    /// <param name="body">The request.</param>
    /// <param name="server">The server's options.</param>
    /// <param name="isCount">Whether its tokens are only counted, for which no length is asked.</param>
    /// <exception cref="ApiException">A field is not what it should be.</exception>
    public static Fields ToChat(Fields body, QuiltServerOptions server, bool isCount = false)
    {
        foreach (var name in Unbuilt)
        {
            if (body.Any(name) is not null) throw ApiException.Bad($"{name}: expected none, this server has no such thing.", name);
        }
        var chat = new ChatBody(body);
        var messages = MessageBlocks.Read(body);
        chat["messages"] = messages;
        if (MessageBlocks.IsBegun(messages))
        {
            chat["continue_final_message"] = true;
            chat["add_generation_prompt"] = false;
        }
        if (!isCount) chat["max_tokens"] = Longest(body);
        if (body.Texts("stop_sequences", MostStops) is { Count: > 0 } stops) chat["stop"] = new JsonArray([.. stops.Select(stop => (JsonNode)stop)]);
        Tools(body, chat);
        Choice(body, chat);
        Thinking(body, chat);
        Output(body, chat);
        return chat.Read(server);
    }

    private static int Longest(Fields body)
    {
        var most = body.Int("max_tokens") ?? throw ApiException.Bad("max_tokens: expected the longest reply in tokens, found none.", "max_tokens");
        return most >= 1 ? most : throw ApiException.Bad($"max_tokens: expected at least 1, found {most}.", "max_tokens");
    }

    private static void Tools(Fields body, ChatBody chat)
    {
        if (body.List("tools", MostTools) is not { Count: > 0 } list) return;
        var tools = new JsonArray();
        for (var i = 0; i < list.Count; i++)
        {
            var tool = new Fields(list[i], $"body.tools.{i}");
            if (tool.Text("type") is { } type and not "custom")
            {
                throw ApiException.Bad($"{tool.PathOf("type")}: expected a tool of the client's own (custom), found {Fields.Shown(type)}, which " +
                    "this server does not have.", "tools");
            }
            if (tool.Object("input_schema") is not { } schema)
                throw ApiException.Bad($"{tool.PathOf("input_schema")}: expected a JSON schema, found none.", "tools");
            var function = new JsonObject { ["name"] = tool.Text("name"), ["parameters"] = ChatBody.Node(schema.Element) };
            if (tool.Text("description") is { } description) function["description"] = description;
            if (tool.Flag("strict") is { } strict) function["strict"] = strict;
            tools.Add(new JsonObject { ["type"] = "function", ["function"] = function });
        }
        chat["tools"] = tools;
    }

    private static void Choice(Fields body, ChatBody chat)
    {
        if (body.Object("tool_choice") is not { } choice) return;
        chat["tool_choice"] = choice.Text("type") switch
        {
            "auto" => "auto",
            "any" => "required",
            "none" => "none",
            "tool" => new JsonObject
            {
                ["type"] = "function",
                ["function"] = new JsonObject
                {
                    ["name"] = choice.Text("name")
                        ?? throw ApiException.Bad($"{choice.PathOf("name")}: expected a tool's name, found none.", "tool_choice"),
                },
            },
            var other => throw ApiException.Bad($"{choice.PathOf("type")}: expected auto, any, tool or none, found {Fields.Shown(other ?? "none")}.",
                "tool_choice"),
        };
        if (choice.Flag("disable_parallel_tool_use") == true) chat["parallel_tool_calls"] = false;
    }

    // Without the field a model does what it is used to: those that think do so, and say it.
    private static void Thinking(Fields body, ChatBody chat)
    {
        if (body.Object("thinking") is not { } thinking) return;
        if (thinking.Text("display") is "omitted")
            throw ApiException.Bad($"{thinking.PathOf("display")}: expected summarized, found omitted: this server keeps no thinking.",
                "thinking");
        switch (thinking.Text("type"))
        {
            case "enabled":
                var budget = thinking.Int("budget_tokens")
                    ?? throw ApiException.Bad($"{thinking.PathOf("budget_tokens")}: expected tokens to think with, found none.", "thinking");
                if (budget < 1) throw ApiException.Bad($"{thinking.PathOf("budget_tokens")}: expected at least 1, found {budget}.", "thinking");
                chat["thinking_token_budget"] = budget;
                break;
            case "adaptive":
                break;
            case "disabled":
                // For templates that know of it; others begin the thinking, and the sampler ends it at once.
                chat["chat_template_kwargs"] = new JsonObject { ["enable_thinking"] = false };
                chat["thinking_token_budget"] = 0;
                return;
            case var other:
                throw ApiException.Bad($"{thinking.PathOf("type")}: expected enabled, adaptive or disabled, found {Fields.Shown(other ?? "none")}.",
                    "thinking");
        }
        chat["chat_template_kwargs"] = new JsonObject { ["enable_thinking"] = true };
    }

    private static void Output(Fields body, ChatBody chat)
    {
        var config = body.Object("output_config");
        if (config?.Text("effort") is { } effort) chat["reasoning_effort"] = effort;
        if ((config?.Object("format") ?? body.Object("output_format")) is not { } format) return;
        if (format.Text("type") is not "json_schema")
            throw ApiException.Bad($"{format.PathOf("type")}: expected json_schema, found {Fields.Shown(format.Text("type") ?? "none")}.",
                "output_config");
        chat["response_format"] = ChatBody.Node(format.Element);
    }
}
