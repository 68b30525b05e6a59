using System.Text;
using System.Text.Json;
using Quilt.Cli;
using Quilt.Formats.Chat;
using Quilt.Formats.Tensors;
using Quilt.Formats.Tokenizers;

namespace Quilt.Tests.Cli;

/// <summary>Each verb does its job on the demo model, and standard output carries the result and nothing else.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class VerbTests
{
    [Test]
    public async Task Chat_prints_the_text_of_the_reply()
    {
        var run = await QuiltProcess.Run(["chat", "What is the capital of France?", "--greedy"]);
        Assert.That(run.Output, Is.EqualTo("The capital of France is Paris.\n"), run.Errors);
        Assert.That(run.ExitCode, Is.Zero);
    }

    [Test]
    public async Task Chat_prints_thinking_in_front_when_asked()
    {
        var run = await QuiltProcess.Run(["chat", "What is the capital of France?", "--greedy", "--thinking"]);
        Assert.That(run.Output, Does.Match(@"\A<think>[^<]*Paris\.</think>\nThe capital of France is Paris\.\n\z"));
    }

    [Test]
    public async Task Chat_prints_tool_calls_as_one_json_line_each()
    {
        var tools = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"tools-{Guid.NewGuid():N}.json");
        await File.WriteAllTextAsync(tools, """
            [{"type": "function", "function": {"name": "get_weather", "description": "Get the current weather of a city.",
              "parameters": {"type": "object", "properties": {"city": {"type": "string"},
              "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}}, "required": ["city"]}}}]
            """);
        try
        {
            var run = await QuiltProcess.Run(["chat", "What is the weather in Seoul? Use celsius.", "--greedy", "--tools", tools]);
            Assert.That(run.Output, Is.EqualTo("""{"name":"get_weather","arguments":{"city":"Seoul","unit":"celsius"}}""" + "\n"), run.Errors);
        }
        finally
        {
            File.Delete(tools);
        }
    }

    [Test]
    public async Task Complete_continues_ids_as_json()
    {
        var run = await QuiltProcess.Run(["complete", "--tokens", "2043,2041,82", "--greedy", "--max-tokens", "4", "--json"]);
        using var json = JsonDocument.Parse(run.Output);
        var root = json.RootElement;
        Assert.That(root.EnumerateObject().Select(p => p.Name), Is.EqualTo(new[] { "prompt_ids", "ids", "text", "finish_reason", "logprobs" }));
        Assert.That(root.GetProperty("prompt_ids").GetRawText(), Is.EqualTo("[2043,2041,82]"));
        Assert.That(root.GetProperty("ids").GetArrayLength(), Is.EqualTo(4));
        Assert.That(root.GetProperty("finish_reason").GetString(), Is.EqualTo("length"));
        Assert.That(root.GetProperty("logprobs").EnumerateArray().Select(p => p.GetDouble()), Is.All.LessThanOrEqualTo(0));
        var ids = root.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()).ToArray();
        Assert.That(root.GetProperty("text").GetString(), Is.EqualTo(Tokenizer.Open(DemoModel.Folder).Decode(ids, skipSpecialTokens: true)));
    }

    [Test]
    public async Task Tokenize_and_detokenize_take_each_other_s_output()
    {
        var text = "Äpfel\r\n  🙂 and \"quotes\"\n";
        var ids = await QuiltProcess.Run(["tokenize"], Encoding.UTF8.GetBytes(text));
        Assert.That(JsonSerializer.Deserialize<int[]>(ids.Output), Is.EqualTo(Tokenizer.Open(DemoModel.Folder).Encode(text)));
        var back = await QuiltProcess.Run(["detokenize", ids.Output.Trim()]);
        Assert.That(back.Output, Is.EqualTo(text));
    }

    [Test]
    public async Task Render_prints_the_prompt_exactly()
    {
        var path = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"conversation-{Guid.NewGuid():N}.json");
        var json = """{"messages": [{"role": "user", "content": "Grüße"}], "add_generation_prompt": false}""";
        await File.WriteAllTextAsync(path, json);
        try
        {
            var run = await QuiltProcess.Run(["render", path]);
            Assert.That(run.Output, Is.EqualTo(ChatTemplate.Open(DemoModel.Folder).Render(Conversation.Read(Encoding.UTF8.GetBytes(json), "test"))));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public async Task Logits_writes_what_the_layers_hold()
    {
        var path = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"logits-{Guid.NewGuid():N}.safetensors");
        try
        {
            var run = await QuiltProcess.Run(["logits", "--tokens", "2043,2041,82", "--out", path, "--layers"]);
            Assert.That((run.ExitCode, run.Output), Is.EqualTo((0, "")), run.Errors);
            using var file = SafeTensorsFile.Open(path);
            Assert.That(file.Tensors["logits"].Shape, Is.EqualTo(new long[] { 3, 2048 }));
            for (var layer = 0; layer < 4; layer++)
            {
                Assert.That(file.Tensors[$"layer.{layer}.hidden"].Shape, Is.EqualTo(new long[] { 3, 256 }));
                Assert.That(file.Tensors[$"layer.{layer}.router_ids"].Type, Is.EqualTo(DType.I64));
                Assert.That(file.ReadFloats($"layer.{layer}.router_weights").Sum(), Is.EqualTo(3).Within(1e-4));
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public async Task Inspect_tells_how_the_demo_is_stored()
    {
        var run = await QuiltProcess.Run(["inspect", "--json"]);
        using var json = JsonDocument.Parse(run.Output);
        var root = json.RootElement;
        Assert.That(root.GetProperty("architecture").GetString(), Is.EqualTo("minimax_m2"));
        Assert.That(root.GetProperty("layers").GetInt32(), Is.EqualTo(4));
        Assert.That(root.GetProperty("kv_bytes_per_token").GetInt64(), Is.EqualTo(4 * 2 * 2 * 64 * 2));
        var cache = root.GetProperty("kv_cache");
        var tokens = cache.GetProperty("context_tokens").GetInt64();
        foreach (var (type, bytes) in new[] { ("float32", 4 * 2 * 2 * 64 * 4), ("bfloat16", 4 * 2 * 2 * 64 * 2), ("fp8", 4 * 2 * 2 * (64 + 1)) })
        {
            Assert.That(cache.GetProperty(type).GetProperty("bytes_per_token").GetInt64(), Is.EqualTo(bytes), type);
            Assert.That(cache.GetProperty(type).GetProperty("context_bytes").GetInt64(), Is.EqualTo(bytes * tokens), type);
        }
        Assert.That(root.GetProperty("warnings").GetArrayLength(), Is.Zero, root.GetProperty("warnings").GetRawText());
        Assert.That(root.GetProperty("schemes").GetProperty("int4 g32").GetProperty("modules").GetInt32(), Is.EqualTo(4 * 16 * 3));
        Assert.That(root.GetProperty("schemes").EnumerateObject().Sum(s => s.Value.GetProperty("bytes").GetInt64()),
            Is.LessThanOrEqualTo(root.GetProperty("tensor_bytes").GetInt64()));
    }

    [Test]
    public async Task Doctor_names_a_kernel_for_every_operation()
    {
        var run = await QuiltProcess.Run(["doctor", "--json"]);
        using var json = JsonDocument.Parse(run.Output);
        var best = json.RootElement.GetProperty("best_isa").GetString()!;
        Assert.That(json.RootElement.GetProperty("operations").EnumerateObject().Select(o => o.Name),
            Is.EquivalentTo(Quilt.Kernels.Catalog.OpCatalog.Operations.Select(o => o.Name)));
        Assert.That(json.RootElement.GetProperty("operations").EnumerateObject().Select(o => o.Value.GetProperty(best).GetString()),
            Is.All.AnyOf("vectors", "plain", "definition"));
        Assert.That(json.RootElement.GetProperty("devices")[0].GetProperty("usable").GetBoolean(), Is.True);
    }
}
