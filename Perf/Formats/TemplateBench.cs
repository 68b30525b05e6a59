using System.Text;
using System.Text.Json.Nodes;
using BenchmarkDotNet.Attributes;
using Quilt.Formats.Chat;

namespace Quilt.Perf.Formats;

/// <summary>
/// The prompt of a conversation of 100 messages with 20 tools; the goal is less than 5 ms. The templates are the demo model's and, where the
/// conformance data is there, some of the field's.
/// </summary>
[MemoryDiagnoser]
public class TemplateBench
{
    private const int Messages = 100;
    private const int Tools = 20;
    private static readonly string[] Wanted = ["minimax-m2.jinja", "Qwen3-Coder.jinja", "GLM-4.7-Flash.jinja", "deepseek-ai-DeepSeek-V3.1.jinja",
        "meta-llama-Llama-3.1-8B-Instruct.jinja"];
    private ChatTemplate template = null!;
    private Conversation conversation = null!;

    public static IEnumerable<string> Templates()
    {
        yield return "demo";
        if (Root() is not { } root) yield break;
        var folder = Path.Combine(root, "..", "shared", "chat_templates", "templates");
        foreach (var name in Wanted)
        {
            if (File.Exists(Path.Combine(folder, name))) yield return name;
        }
    }

    [ParamsSource(nameof(Templates))]
    public string Template { get; set; } = "";

    [GlobalSetup]
    public void Open()
    {
        var root = Root() ?? throw new InvalidOperationException("Run inside the repository.");
        var path = Template == "demo"
            ? Path.Combine(root, "tools", "Quilt.Cli", "Demo", "chat_template.jinja")
            : Path.Combine(root, "..", "shared", "chat_templates", "templates", Template);
        template = ChatTemplate.Parse(File.ReadAllText(path), Template);
        conversation = Conversation.Read(Encoding.UTF8.GetBytes(new JsonObject
        { ["messages"] = Talk(), ["tools"] = Toolbox(), ["bos_token"] = "<s>", ["eos_token"] = "</s>" }.ToJsonString()), "bench");
    }

    [Benchmark]
    public string Render() => template.Render(conversation);

    private static JsonArray Talk()
    {
        var messages = new JsonArray { new JsonObject { ["role"] = "system", ["content"] = "Answer briefly and use tools where they help." } };
        for (var i = 0; messages.Count < Messages; i++)
        {
            messages.Add((i % 4) switch
            {
                0 =>
                    new JsonObject { ["role"] = "user",
                        ["content"] = $"Question {i}: what will the weather be in the city I named, and should I take an umbrella?" },
                1 =>
                    new JsonObject { ["role"] = "assistant", ["content"] = "",
                        ["tool_calls"] = new JsonArray(new JsonObject { ["id"] = $"call{i:00000}", ["type"] = "function",
                        ["function"] = new JsonObject { ["name"] = $"tool_{i % Tools}",
                        ["arguments"] = new JsonObject { ["city"] = "Paris", ["days"] = 3, ["detailed"] = true } } }) },
                2 =>
                    new JsonObject { ["role"] = "tool", ["tool_call_id"] = $"call{i - 1:00000}", ["name"] = $"tool_{(i - 1) % Tools}",
                        ["content"] = $"{{\"temperature\": {20 + i}, \"rain\": 0.1, \"text\": \"partly cloudy\"}}" },
                _ =>
                    new JsonObject { ["role"] = "assistant", ["content"] = "It will be mild and mostly dry; an umbrella is not needed today.",
                        ["reasoning_content"] = "The tool says there is little rain." },
            });
        }
        return messages;
    }

    private static JsonArray Toolbox()
    {
        var tools = new JsonArray();
        for (var i = 0; i < Tools; i++)
        {
            var properties = new JsonObject { ["city"] = new JsonObject { ["type"] = "string", ["description"] = "Name of the city" },
                ["days"] = new JsonObject { ["type"] = "integer", ["minimum"] = 1 }, ["detailed"] = new JsonObject { ["type"] = "boolean" } };
            tools.Add(new JsonObject { ["type"] = "function",
                ["function"] = new JsonObject { ["name"] = $"tool_{i}", ["description"] = $"Looks something up for a city, number {i}.",
                ["parameters"] = new JsonObject { ["type"] = "object", ["properties"] = properties, ["required"] = new JsonArray("city") } } });
        }
        return tools;
    }

    private static string? Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Runtime.sln"))) return folder.FullName;
        }
        return null;
    }
}
