namespace Quilt.Tests.Hosting;

/// <summary>A reply with thinking, text and a call, and what is asked for it in each API.</summary>
internal static class WeatherReply
{
    /// <summary>The call's markup.</summary>
    public const string Call =
        "<minimax:tool_call>\n<invoke name=\"get_weather\">\n<parameter name=\"city\">Seoul</parameter>\n</invoke>\n</minimax:tool_call>";

    /// <summary>Thinking, text, call.</summary>
    public const string Whole = "I look.</think>Wait." + Call;

    /// <summary>The tool's parameters.</summary>
    public const string Parameters = """{"type": "object", "properties": {"city": {"type": "string"}}}""";

    /// <summary>The tools as Anthropic has them.</summary>
    public const string AnthropicTools = $$"""[{"name": "get_weather", "description": "The weather.", "input_schema": {{Parameters}}}]""";

    /// <summary>The tools as the Responses API has them.</summary>
    public const string FlatTools =
        $$"""[{"type": "function", "name": "get_weather", "description": "The weather.", "parameters": {{Parameters}}, "strict": false}]""";
}
