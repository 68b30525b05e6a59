using System.Text;

namespace Quilt.Tests.Cli;

/// <summary>parse-reply as a user runs it.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class ParseReplyTests
{
    private static readonly byte[] pieces = Encoding.UTF8.GetBytes(
        """
        "hm</th"
        "ink>Näh <"

        "minimax:tool_call><invoke name=\"f\"><parameter name=\"a\">1</parameter></invoke>"
        """);

    [Test]
    public async Task Prints_one_json_object_an_event()
    {
        var run = await QuiltProcess.Run(["parse-reply", "--dialect", "minimax_m2", "--starts-thinking", "--json"], pieces);
        Assert.That(run.ExitCode, Is.Zero, run.Errors);
        Assert.That(run.Output, Is.EqualTo(
            """
            {"type":"thinking","text":"hm"}
            {"type":"text","text":"Näh "}
            {"type":"tool_call","index":0,"name":"f"}
            {"type":"tool_call_arguments","index":0,"json":"{\"a\": \"1\""}
            {"type":"tool_call_arguments","index":0,"json":"}"}
            {"type":"tool_call_end","index":0,"name":"f","arguments":"{\"a\": \"1\"}","complete":true}

            """));
    }

    [Test]
    public async Task Converts_arguments_by_the_tools_of_a_file()
    {
        var file = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"tools-{Guid.NewGuid():N}.json");
        await File.WriteAllTextAsync(file,
            """[{"type": "function", "function": {"name": "f", "parameters": {"properties": {"a": {"type": "integer"}}}}}]""");
        try
        {
            var run = await QuiltProcess.Run(["parse-reply", "--dialect", "minimax_m2", "--tools", file], pieces);
            Assert.That(run.Output, Does.Contain("call 0     f\n").And.Contain("""end 0      {"a": 1}"""), run.Errors);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Test]
    public async Task Tells_a_call_that_is_dropped()
    {
        var file = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"tools-{Guid.NewGuid():N}.json");
        await File.WriteAllTextAsync(file, """[{"name": "other"}, {"name": "third"}]""");
        try
        {
            var run = await QuiltProcess.Run(["parse-reply", "--dialect", "minimax_m2", "--tools", file, "--json"], pieces);
            Assert.That(run.Output, Does.EndWith(
                """{"type":"tool_call_dropped","name":"f","arguments":"{\"a\": \"1\"}","reason":"undeclared_tool"}""" + "\n"), run.Errors);
            run = await QuiltProcess.Run(["parse-reply", "--dialect", "minimax_m2", "--tools", file], pieces);
            Assert.That(run.Output, Does.EndWith("""dropped    f {"a": "1"}  (undeclared_tool)""" + "\n"), run.Errors);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [TestCase("3", "minimax_m2", "quilt: standard input: line 1: expected a JSON string, found Number")]
    [TestCase("\"open", "minimax_m2", "quilt: standard input: line 1: expected a JSON string, found something else")]
    [TestCase("", "morse", "quilt: dialect: morse: expected one of ")]
    public async Task Says_in_one_line_what_is_wrong(string input, string dialect, string complaint)
    {
        var run = await QuiltProcess.Run(["parse-reply", "--dialect", dialect], Encoding.UTF8.GetBytes(input));
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Complaints, Has.Length.EqualTo(1));
        Assert.That(run.Complaints[0], Does.StartWith(complaint));
        Assert.That(run.Output, Is.Empty);
    }

    [Test]
    public async Task A_template_tells_the_dialect()
    {
        var file = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"template-{Guid.NewGuid():N}.jinja");
        await File.WriteAllTextAsync(file, "{{ messages }}[TOOL_CALLS]");
        try
        {
            var run = await QuiltProcess.Run(["parse-reply", "--template", file], "\"So.[TOOL_CALLS]f[ARGS]{}\""u8.ToArray());
            Assert.That(run.Output, Does.StartWith("text       \"So.\"\ncall 0     f\n"), run.Errors);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [TestCase("--dialect", "text", "--template", "x")]
    [TestCase("--json")]
    public async Task Takes_one_of_dialect_and_template(params string[] arguments)
    {
        var run = await QuiltProcess.Run(["parse-reply", .. arguments], []);
        Assert.That(run.ExitCode, Is.Not.Zero);
        Assert.That(run.Errors, Does.Contain("Expected one of --dialect NAME and --template FILE."));
    }

    [Test]
    public async Task A_chat_takes_a_dialect_by_name()
    {
        var run = await QuiltProcess.Run(["chat", "Hello", "--dialect", "text", "--greedy", "--max-tokens", "400"], []);
        Assert.That(run.ExitCode, Is.Zero, run.Errors);
        Assert.That(run.Output, Does.Contain("</think>"), "a reply taken as text keeps its markers");
        run = await QuiltProcess.Run(["chat", "Hello", "--dialect", "morse"], []);
        Assert.That(run.ExitCode, Is.Not.Zero);
        Assert.That(run.Errors, Does.Contain("morse"));
    }
}
