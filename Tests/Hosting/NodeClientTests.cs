using System.Diagnostics;
using System.Text.Json;

namespace Quilt.Tests.Hosting;

/// <summary>
/// The official clients of npm against a real server: scripts of <c>Node/</c>, run by node with the packages that <c>.ci/install</c> installs.
/// Skipped where either is missing.
/// </summary>
public sealed class NodeClientTests
{
    private const string Calling = WeatherReply.Whole;

    private const string Result = "Now I know.</think>Sun.";
    private const string Function = """{"name":"get_weather","arguments":"{\"city\": \"Seoul\"}"}""";
    private const string Form = "I fill in.</think>{\"city\": \"Seoul\"}";

    private static readonly string?[] Folders = [Environment.GetEnvironmentVariable("QUILT_NODE"), "/usr/share/quilt-node"];

    [Test]
    public async Task Runs_the_package_openai()
    {
        var script = new Script(Calling, Result, Calling, Calling, Form, " three", " three", Calling, Result, Calling, Form);
        await using var host = await HttpHost.StartAsync(script);
        var said = await RunAsync("openai", "openai", host.Url);
        using var all = Assert.EnterMultipleScope();
        Check(said, "models", """{"models":["demo"]}""");
        Check(said, "chat", $$"""{"content":"Wait.","reasoning":"I look.","call":{{Function}},"finish":"tool_calls"}""");
        Check(said, "chat result", """{"content":"Sun."}""");
        Check(said, "chat stream", """{"content":"Wait.","reasoning":"I look.","tool":"get_weather","finish":"tool_calls"}""");
        Check(said, "chat stream", """{"arguments":"{\"city\": \"Seoul\"}"}""");
        Check(said, "chat stream helper", $$"""{"call":{{Function}} }""");
        Check(said, "structured", """{"parsed":{"city":"Seoul"}}""");
        Check(said, "completion", """{"text":" three"}""");
        Check(said, "completion stream", """{"text":" three"}""");
        Check(said, "response", """{"text":"Wait.","status":"completed","arguments":"{\"city\": \"Seoul\"}","reasoning":"I look."}""");
        Check(said, "response result", """{"text":"Sun."}""");
        Check(said, "response kept", """{"text":"Sun."}""");
        Check(said, "response stream", """{"text":"Wait.","thinking":"I look.","arguments":"{\"city\": \"Seoul\"}","types":13}""");
        Check(said, "response structured", """{"parsed":{"city":"Seoul"}}""");
        Check(said, "chat error", """{"error":"BadRequestError","status":400,"message":"400 temperature must be non-negative, got -1."}""");
        Check(said, "model error", """{"error":"NotFoundError","status":404,"message":"404 The model `other` does not exist."}""");
        Check(said, "response error", """{"error":"NotFoundError","status":404}""");
        Assert.That(script.Prompts[1], Does.Contain("<think>\nI look.\n</think>").And.Contain("<response>sun</response>"));
        Assert.That(script.Prompts[8], Does.Contain("<think>\nI look.\n</think>").And.Contain("<response>sun</response>"));
        Assert.That(script.Requests[4].Output, Is.Not.Null);
        Assert.That(script.Requests[10].Output, Is.Not.Null);
    }

    [Test]
    public async Task Runs_the_package_of_Anthropic()
    {
        var script = new Script(Calling, Result, Calling, Calling);
        await using var host = await HttpHost.StartAsync(script);
        var said = await RunAsync("anthropic", "@anthropic-ai/sdk", host.Url);
        using var all = Assert.EnterMultipleScope();
        Check(said, "message", """{"thinking":"I look.","signed":true,"text":"Wait.","input":{"city":"Seoul"},"reason":"tool_use"}""");
        Check(said, "result", """{"text":"Sun.","reason":"end_turn"}""");
        Check(said, "stream", """{"text":"Wait.","thinking":"I look.","signature":true,"input":{"city":"Seoul"},"reason":"tool_use"}""");
        Check(said, "events", """{"first":"message_start","last":"message_stop"}""");
        Check(said, "error", """{"error":"BadRequestError","status":400,"type":"invalid_request_error"}""");
        Check(said, "model error", """{"error":"NotFoundError","status":404,"type":"not_found_error"}""");
        Assert.That(said["count"].GetProperty("tokens").GetInt32(),
            Is.EqualTo(said["message"].GetProperty("usage").GetProperty("input_tokens").GetInt32()));
        Assert.That(said["stream"].GetProperty("usage").GetRawText(), Is.EqualTo(said["message"].GetProperty("usage").GetRawText()));
        Assert.That(script.Prompts[1], Does.Contain("<think>\nI look.\n</think>").And.Contain("<response>sun</response>"));
        Assert.That(script.Requests[0].Sampling!.ThinkingBudget, Is.EqualTo(1024));
    }

    // What a script says under a name has at least these fields.
    private static void Check(Dictionary<string, JsonElement> said, string name, string expected)
    {
        Assert.That(said, Does.ContainKey(name));
        if (!said.TryGetValue(name, out var found)) return;
        foreach (var field in JsonElement.Parse(expected).EnumerateObject())
        {
            Assert.That(found.TryGetProperty(field.Name, out var value) && JsonElement.DeepEquals(value, field.Value), Is.True,
                $"{name}: expected {field}, found {found}");
        }
    }

    private static async Task<Dictionary<string, JsonElement>> RunAsync(string name, string package, string url)
    {
        var modules = Array.Find(Folders, folder => folder is not null && Directory.Exists(Path.Combine(folder, package)));
        if (modules is null) Assert.Ignore($"The npm package {package} is not installed ($QUILT_NODE, /usr/share/quilt-node).");
        // Node looks for packages beside the script.
        var folder = Directory.CreateTempSubdirectory("quilt-node-").FullName;
        try
        {
            var script = Path.Combine(folder, $"{name}.mjs");
            File.Copy(Path.Combine(AppContext.BaseDirectory, "Hosting", "Node", $"{name}.mjs"), script);
            Directory.CreateSymbolicLink(Path.Combine(folder, "node_modules"), modules);
            return await RunAsync(script, url);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<Dictionary<string, JsonElement>> RunAsync(string script, string url)
    {
        using var node = new Process
        {
            StartInfo = new ProcessStartInfo("node", [script, url]) { RedirectStandardOutput = true, RedirectStandardError = true },
        };
        try
        {
            node.Start();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Ignore("node is not installed.");
        }
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        try
        {
            var (output, errors) = (node.StandardOutput.ReadToEndAsync(late.Token), node.StandardError.ReadToEndAsync(late.Token));
            await node.WaitForExitAsync(late.Token);
            Assert.That(node.ExitCode, Is.Zero, $"{await output}\n{await errors}");
            return (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))
                .ToDictionary(said => said.GetProperty("name").GetString()!);
        }
        finally
        {
            if (!node.HasExited) node.Kill(entireProcessTree: true);
        }
    }
}
