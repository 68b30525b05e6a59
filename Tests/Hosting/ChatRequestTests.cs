using System.Text.Json;
using Microsoft.Extensions.AI;
using Quilt.Formats.Chat;
using Quilt.Formats.Chat.Replies;
using Quilt.Hosting;
using Quilt.Hosting.Models;
using Quilt.Runtime;

namespace Quilt.Tests.Hosting;

/// <summary>Messages and options of Microsoft.Extensions.AI, and the request that becomes of them.</summary>
public sealed class ChatRequestTests
{
    [Test]
    public async Task Every_option_has_its_place()
    {
        var request = await RequestAsync(new ChatOptions
        {
            Temperature = 0.7f, TopP = 0.9f, TopK = 12, FrequencyPenalty = 0.4f, PresencePenalty = -0.3f, Seed = 42, MaxOutputTokens = 77,
            StopSequences = ["END", "HALT"], AllowMultipleToolCalls = false, Instructions = "Be brief.",
            Reasoning = new() { Effort = ReasoningEffort.High },
            Tools = [AIFunctionFactory.Create((int a) => a, "f", "Does f.")], ToolMode = ChatToolMode.RequireSpecific("f"),
            AdditionalProperties = new()
            {
                ["min_p"] = 0.05, ["repetition_penalty"] = 1.1, ["min_tokens"] = 2, ["ignore_eos"] = true, ["include_stop_str_in_output"] = true,
                ["stop_token_ids"] = new[] { 7, 8 }, ["allowed_token_ids"] = new List<int> { 1, 7, 8 }, ["thinking_token_budget"] = 33,
                ["logit_bias"] = new Dictionary<string, object?> { ["7"] = 1.5 }, ["cache_salt"] = "mine", ["priority"] = -3,
                ["truncate_prompt_tokens"] = -1, ["repetition_detection"] = JsonDocument.Parse("""{"min_count": 4}""").RootElement,
                ["chat_template_kwargs"] = new Dictionary<string, object?> { ["colour"] = "blue" }, ["unheard_of"] = new object(),
            },
        });
        var sampling = request.Sampling!;
        using var all = Assert.EnterMultipleScope();
        Assert.That((sampling.Temperature, sampling.TopP, sampling.TopK), Is.EqualTo((0.7, 0.9, 12)));
        Assert.That((sampling.FrequencyPenalty, sampling.PresencePenalty, sampling.Seed, sampling.MaxTokens), Is.EqualTo((0.4, -0.3, 42L, 77)));
        Assert.That(sampling.Stop, Is.EqualTo(["END", "HALT"]));
        Assert.That((sampling.MinP, sampling.RepetitionPenalty, sampling.MinTokens, sampling.IgnoreEos), Is.EqualTo((0.05, 1.1, 2, true)));
        Assert.That((sampling.IncludeStop, sampling.ThinkingBudget, sampling.RepetitionGuard!.MinCount), Is.EqualTo((true, 33, 4)));
        Assert.That(sampling.StopTokens, Is.EqualTo([7, 8]));
        Assert.That(sampling.AllowedTokens, Is.EqualTo([1, 7, 8]));
        Assert.That(sampling.LogitBias, Is.EqualTo(new Dictionary<int, float> { [7] = 1.5f }));
        Assert.That((request.CacheSalt, request.Priority, request.TruncatePrompt), Is.EqualTo(("mine", -3, -1)));
        Assert.That((request.ParallelToolCalls, request.ToolChoice!.Tool), Is.EqualTo((false, "f")));
        var conversation = request.Conversation!;
        Assert.That(conversation.Messages[0].GetRawText(), Is.EqualTo("""{"role":"system","content":"Be brief."}"""));
        Assert.That(conversation.Variables["reasoning_effort"].GetString(), Is.EqualTo("high"));
        Assert.That(conversation.Variables["enable_thinking"].GetBoolean(), Is.True);
        Assert.That(conversation.Variables["colour"].GetString(), Is.EqualTo("blue"));
        var tool = conversation.Tools!.Value[0];
        Assert.That(tool.GetProperty("type").GetString(), Is.EqualTo("function"));
        Assert.That(tool.GetProperty("function").EnumerateObject().Select(part => part.Name), Is.EqualTo(["name", "description", "parameters"]));
        Assert.That(tool.GetProperty("function").GetProperty("parameters").GetProperty("properties").TryGetProperty("a", out _), Is.True);
    }

    [TestCase(ReasoningEffort.None, "none", false)]
    [TestCase(ReasoningEffort.Low, "low", true)]
    [TestCase(ReasoningEffort.Medium, "medium", true)]
    [TestCase(ReasoningEffort.ExtraHigh, "xhigh", true)]
    public async Task Effort_is_told_to_the_template(ReasoningEffort effort, string told, bool thinks)
    {
        var variables = (await RequestAsync(new ChatOptions { Reasoning = new() { Effort = effort } })).Conversation!.Variables;
        Assert.That((variables["reasoning_effort"].GetString(), variables["enable_thinking"].GetBoolean()), Is.EqualTo((told, thinks)));
    }

    [Test]
    public async Task What_is_not_said_is_as_the_checkpoint_has_it()
    {
        var request = await RequestAsync(null);
        var engine = await DemoHost.EngineAsync();
        Assert.That((request.Sampling!.Temperature, request.Sampling.TopP, request.Sampling.TopK), Is.EqualTo((0.3, 0.95, 40)));
        Assert.That(request.Sampling, Is.EqualTo(engine.DefaultSampling with { Stop = request.Sampling.Stop }));
        Assert.That((request.Output, request.ToolChoice, request.Conversation!.Tools, request.Conversation.Variables.Count), Is.EqualTo(
            ((StructuredOutput?)null, (ToolChoice?)null, (JsonElement?)null, 0)));
    }

    [Test]
    public async Task The_host_speaks_before_the_checkpoint_and_a_caller_before_the_host()
    {
        var options = new QuiltOptions { Model = DemoHost.Folder, Sampling = new() { Temperature = 1, RepetitionPenalty = 1.1, MaxNewTokens = 50 } };
        var request = await RequestAsync(new ChatOptions { Temperature = 0.5f, MaxOutputTokens = 80 }, options);
        Assert.That((request.Sampling!.Temperature, request.Sampling.TopK, request.Sampling.RepetitionPenalty), Is.EqualTo((0.5, 40, 1.1)));
        Assert.That(request.Sampling.MaxTokens, Is.EqualTo(50), "A caller cannot raise it.");
        options.UseGenerationConfig = false;
        Assert.That((await RequestAsync(null, options)).Sampling!.TopK, Is.Zero);
    }

    [Test]
    public async Task Variables_of_the_host_are_told_to_the_template_unless_the_caller_has_others()
    {
        var script = new Script("Hm.</think>Well.");
        Dictionary<string, JsonElement> variables = new() { ["a"] = JsonElement.Parse("1"), ["enable_thinking"] = JsonElement.Parse("false") };
        using var chat = new QuiltChatClient(await DemoHost.ModelsAsync(script), null, variables: variables);
        await chat.GetResponseAsync("Hello", new ChatOptions { Reasoning = new() { Effort = ReasoningEffort.Low } });
        var told = script.Requests.Single().Conversation!.Variables;
        Assert.That((told["a"].GetInt32(), told["enable_thinking"].GetBoolean()), Is.EqualTo((1, true)));
    }

    [Test]
    public async Task A_form_is_held_to()
    {
        var schema = JsonDocument.Parse("""{"type": "object"}""").RootElement;
        Assert.That((await RequestAsync(new() { ResponseFormat = ChatResponseFormat.Json })).Output, Is.SameAs(StructuredOutput.Json));
        Assert.That((await RequestAsync(new() { ResponseFormat = ChatResponseFormat.ForJsonSchema(schema) })).Output!.Key, Does.Contain("object"));
        Assert.That((await RequestAsync(new() { ResponseFormat = ChatResponseFormat.Text })).Output, Is.Null);
        var regex = new Dictionary<string, string> { ["regex"] = "a+" };
        var choice = new ChatOptions { AdditionalProperties = new() { ["structured_outputs"] = regex } };
        Assert.That((await RequestAsync(choice)).Output!.Key, Is.EqualTo("regex a+"));
        choice.ResponseFormat = ChatResponseFormat.Json;
        Assert.That(() => RequestAsync(choice), Throws.ArgumentException.With.Message.Contain("ResponseFormat"));
    }

    [Test]
    public async Task A_request_of_the_engine_can_be_the_beginning()
    {
        var request = await RequestAsync(new ChatOptions
        {
            Temperature = 0.5f,
            RawRepresentationFactory = _ => new GenerationRequest
            {
                Deadline = TimeSpan.FromSeconds(9), Tenant = "t", Sampling = new() { MinTokens = 3 }, Text = "not this",
                Reply = new ReplyOptions { CallsInThinking = CallsInThinking.AsText },
            },
        });
        Assert.That((request.Deadline, request.Tenant, request.Text), Is.EqualTo((TimeSpan.FromSeconds(9), "t", (string?)null)));
        Assert.That((request.Sampling!.MinTokens, request.Sampling.Temperature), Is.EqualTo((3, 0.5)));
        Assert.That(request.Reply!.CallsInThinking, Is.EqualTo(CallsInThinking.AsText));
    }

    [Test]
    public async Task Instructions_come_first_in_the_one_system_message_that_counts()
    {
        var messages = new List<ChatMessage> { new(ChatRole.System, "You know sums."), new(ChatRole.User, "Hello") };
        var script = new Script("</think>Hi.");
        using var chat = await ChatClientScriptTests.ClientAsync(script);
        await chat.GetResponseAsync(messages, new ChatOptions { Instructions = "Be brief." });
        Assert.That(script.Prompts.Single(), Does.StartWith("]~!b[]~b]system\nBe brief.\nYou know sums.[e~[\n]~b]user\nHello"));
        Assert.That(messages[0].Text, Is.EqualTo("You know sums."));
    }

    [Test]
    public async Task Results_of_tools_become_messages_that_a_model_can_read()
    {
        var messages = new List<ChatMessage>
        {
            new(ChatRole.User, "Look."),
            new(ChatRole.Assistant, [new FunctionCallContent("a", "f", new Dictionary<string, object?> { ["x"] = 1.0, ["y"] = null })]),
            new(ChatRole.Tool, [new FunctionResultContent("a", "plain"), new FunctionResultContent("b", new { Degrees = 7, Sky = "blau & weiß" })]),
            new(ChatRole.Tool, [new FunctionResultContent("c", JsonDocument.Parse("\"quoted\"").RootElement)]),
            new(ChatRole.Tool, [new FunctionResultContent("d", null) { Exception = new InvalidOperationException("no luck") }]),
            new(ChatRole.Tool, [new FunctionResultContent("e", new List<AIContent> { new TextContent("l1"), new TextContent("l2") })]),
        };
        var written = (await RequestAsync(null, messages: messages)).Conversation!.Messages.Skip(2)
            .Select(message => (message.GetProperty("tool_call_id").GetString(), message.GetProperty("content").GetString()));
        Assert.That(written, Is.EqualTo(new[]
        {
            ("a", "plain"), ("b", """{"degrees":7,"sky":"blau & weiß"}"""), ("c", "quoted"), ("d", "Error: no luck"), ("e", "l1\nl2"),
        }));
    }

    [TestCaseSource(nameof(Refused))]
    public async Task What_cannot_be_done_is_refused_by_name(string named, Type thrown, ChatOptions? options, AIContent? content)
    {
        ChatMessage[] messages = [new(ChatRole.User, content is null ? [new TextContent("Hello")] : [content])];
        var error = await Assert.CatchAsync(() => RequestAsync(options, messages: messages));
        Assert.That(error, Is.InstanceOf(thrown));
        Assert.That(error!.Message, Does.Contain(named));
    }

    private static IEnumerable<TestCaseData> Refused()
    {
        var bytes = new ReadOnlyMemory<byte>([1, 2, 3]);
        yield return Case("image/png", typeof(NotSupportedException), content: new DataContent(bytes, "image/png"));
        yield return Case("audio/wav", typeof(NotSupportedException), content: new DataContent(bytes, "audio/wav"));
        yield return Case("UriContent of image/jpeg", typeof(NotSupportedException), content: new UriContent("http://a.b/c.jpg", "image/jpeg"));
        yield return Case("messages[0].contents[0]", typeof(NotSupportedException), content: new HostedFileContent("f"));
        yield return Case("ConversationId", typeof(NotSupportedException), new() { ConversationId = "c1" });
        yield return Case("ModelId", typeof(ArgumentException), new() { ModelId = "another" });
        yield return Case("HostedWebSearchTool", typeof(NotSupportedException), new() { Tools = [new HostedWebSearchTool()] });
        yield return Case("ToolMode", typeof(ArgumentException), new() { ToolMode = ChatToolMode.RequireAny });
        yield return Case("'g'", typeof(ArgumentException),
            new() { Tools = [AIFunctionFactory.Create(() => 1, "f")], ToolMode = ChatToolMode.RequireSpecific("g") });
        yield return Case("Temperature", typeof(ArgumentException), new() { Temperature = -1 });
        yield return Case("MaxTokens", typeof(ArgumentException), new() { MaxOutputTokens = 0 });
        foreach (var (name, value) in new (string, object)[]
        {
            ("min_p", "much"), ("priority", 1.5), ("ignore_eos", 1), ("stop_token_ids", 7), ("logit_bias", new[] { 1 }), ("cache_salt", 3),
            ("chat_template_kwargs", "x"), ("structured_outputs", new Dictionary<string, object?> { ["regex"] = "a", ["grammar"] = "b" }),
            ("min_p", new MemoryStream()), ("repetition_detection", true),
        })
            yield return Case(name, typeof(ArgumentException), new() { AdditionalProperties = new() { [name] = value } });

        static TestCaseData Case(string named, Type thrown, ChatOptions? options = null, AIContent? content = null) =>
            new TestCaseData(named, thrown, options, content)
                .SetArgDisplayNames(named, $"{content?.GetType().Name}{options?.AdditionalProperties?.Values.First()}");
    }

    private static async Task<GenerationRequest> RequestAsync(
        ChatOptions? options, QuiltOptions? host = null, IEnumerable<ChatMessage>? messages = null)
    {
        var script = new Script("Hm.</think>Well.");
        var models = new ServedModels(host ?? new QuiltOptions { Model = DemoHost.Folder }, TimeProvider.System);
        models.All[0].Engine = await DemoHost.EngineAsync();
        models.All[0].Submit = script.Submit;
        using var chat = new QuiltChatClient(models, null);
        await chat.GetResponseAsync(messages ?? [new ChatMessage(ChatRole.User, "Hello")], options);
        return script.Requests.Single();
    }
}
