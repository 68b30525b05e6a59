using System.Diagnostics;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;
using Quilt.Hosting;
using Quilt.Runtime;

namespace Quilt.Tests.Hosting;

/// <summary>The demo model as a chat client, with what Microsoft.Extensions.AI puts around one.</summary>
public sealed class QuiltChatClientTests
{
    private static readonly ChatOptions Greedy = new() { Temperature = 0, MaxOutputTokens = 200 };

    [JsonConverter(typeof(JsonStringEnumConverter<Sky>))]
    private enum Sky
    {
        Clear = 1,
        Cloudy,
    }

    private sealed record Answer(Sky Sky, bool IsWarm);

    [Test]
    public async Task Answers_with_thinking_text_tokens_and_names()
    {
        using var chat = await ClientAsync();
        var response = await chat.GetResponseAsync("What is the capital of France?", Greedy);
        Assert.That(response.Text, Is.EqualTo("The capital of France is Paris."));
        var message = response.Messages.Single();
        Assert.That(message.Role, Is.EqualTo(ChatRole.Assistant));
        Assert.That(message.Contents.OfType<TextReasoningContent>().Single().Text, Does.Contain("Paris"));
        Assert.That(response.FinishReason, Is.EqualTo(ChatFinishReason.Stop));
        Assert.That(response.ModelId, Is.EqualTo("demo"));
        Assert.That(response.ResponseId, Does.Match("^chatcmpl-[0-9a-f]{32}$"));
        Assert.That(response.CreatedAt, Is.EqualTo(DateTimeOffset.UtcNow).Within(TimeSpan.FromMinutes(1)));
        var generation = (Generation)response.RawRepresentation!;
        var usage = response.Usage!;
        Assert.That(usage.InputTokenCount, Is.EqualTo(generation.PromptIds.Count));
        Assert.That(usage.OutputTokenCount, Is.EqualTo(generation.Stats.GeneratedTokens));
        Assert.That(usage.TotalTokenCount, Is.EqualTo(usage.InputTokenCount + usage.OutputTokenCount));
        Assert.That(usage.CachedInputTokenCount, Is.EqualTo(generation.Stats.CachedTokens));
        Assert.That(usage.ReasoningTokenCount, Is.InRange(1, usage.OutputTokenCount!.Value - 1));
    }

    [Test]
    public async Task Needs_nothing_but_an_engine()
    {
        using var chat = new QuiltChatClient(await DemoHost.EngineAsync());
        Assert.That((await chat.GetResponseAsync("Add 34 and 9.", Greedy)).Text, Is.EqualTo("34 + 9 = 43"));
        Assert.That(() => chat.GetResponseAsync("Hello", new ChatOptions { ModelId = "another" }),
            Throws.ArgumentException.With.Message.Contain("ModelId").And.Message.Contain("another"));
        chat.Dispose();
        Assert.That((await DemoHost.EngineAsync()).Failure, Is.Null, "The engine is its owner's.");
    }

    [Test]
    public async Task Streams_the_same_as_one_message()
    {
        using var chat = await ClientAsync();
        var whole = await chat.GetResponseAsync("What is the weather in Seoul? Use celsius.", WithWeather());
        var updates = new List<ChatResponseUpdate>();
        await foreach (var update in chat.GetStreamingResponseAsync("What is the weather in Seoul? Use celsius.", WithWeather())) updates.Add(update);
        Assert.That(updates, Has.Count.GreaterThan(4));
        Assert.That(updates.Select(update => (update.MessageId, update.ResponseId, update.Role, update.ModelId)).Distinct().Count(), Is.EqualTo(1));
        Assert.That(updates.SkipLast(1).Select(update => update.FinishReason), Has.All.Null);
        var joined = updates.ToChatResponse();
        Assert.That(Told(joined), Is.EqualTo(Told(whole)));
        Assert.That(joined.FinishReason, Is.EqualTo(ChatFinishReason.ToolCalls));
        Assert.That(joined.Usage!.OutputTokenCount, Is.EqualTo(whole.Usage!.OutputTokenCount));
        Assert.That(updates[^1].RawRepresentation, Is.InstanceOf<Generation>());
    }

    [Test]
    public async Task Calls_a_function_that_is_carried_out()
    {
        var asked = new List<(string City, string? Unit)>();
        var tool = AIFunctionFactory.Create(
            (string city, string? unit) =>
            {
                asked.Add((city, unit));
                return "12 degrees";
            }, "get_weather", "Get the current weather of a city.");
        using var chat = new ChatClientBuilder(await ClientAsync()).UseFunctionInvocation().Build();
        var response = await chat.GetResponseAsync("What is the weather in Seoul? Use celsius.",
            new ChatOptions { Temperature = 0, MaxOutputTokens = 200, Tools = [tool] });
        Assert.That(asked.First(), Is.EqualTo(("Seoul", "celsius")));
        Assert.That(response.Messages, Has.Count.GreaterThanOrEqualTo(3));
        var result = response.Messages[1].Contents.OfType<FunctionResultContent>().First();
        Assert.That(result.CallId, Is.EqualTo(response.Messages[0].Contents.OfType<FunctionCallContent>().First().CallId));
        Assert.That(response.Messages[^1].Role, Is.EqualTo(ChatRole.Assistant));
    }

    [Test]
    public async Task Fills_a_type()
    {
        using var chat = await ClientAsync();
        // A model of its size does not know JSON: without a form as tight as this it would write white space for ever.
        var tight = new Dictionary<string, object?> { ["disable_any_whitespace"] = true };
        var response = await chat.GetResponseAsync<Answer>("How is the weather in Rome?",
            new ChatOptions { Temperature = 0, MaxOutputTokens = 300, AdditionalProperties = new() { ["structured_outputs"] = tight } });
        Assert.That(response.TryGetResult(out var answer), Is.True, response.Text);
        Assert.That(answer!.Sky, Is.AnyOf(Sky.Clear, Sky.Cloudy));
    }

    [Test]
    public async Task Is_seen_by_OpenTelemetry()
    {
        const string source = "Quilt.Tests.ChatClient";
        var seen = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = one => one.Name == source,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = seen.Add,
        };
        ActivitySource.AddActivityListener(listener);
        using var chat = new ChatClientBuilder(await ClientAsync()).UseOpenTelemetry(sourceName: source).Build();
        await chat.GetResponseAsync("Add 34 and 9.", Greedy);
        await foreach (var _ in chat.GetStreamingResponseAsync("Add 34 and 9.", Greedy)) continue;
        Assert.That(seen, Has.Count.EqualTo(2));
        foreach (var activity in seen)
        {
            var tags = activity.TagObjects.ToDictionary(tag => tag.Key, tag => tag.Value);
            Assert.That(tags["gen_ai.provider.name"], Is.EqualTo("quilt"));
            Assert.That(tags["gen_ai.response.model"], Is.EqualTo("demo"));
            Assert.That(tags["gen_ai.usage.output_tokens"], Is.InstanceOf<long>().Or.InstanceOf<int>());
            Assert.That(tags["gen_ai.response.finish_reasons"], Is.EqualTo("""["stop"]"""));
        }
    }

    [Test]
    public async Task Serves_many_at_once_each_with_its_own()
    {
        using var chat = await ClientAsync();
        var sums = Enumerable.Range(10, 24).Select(i => (Asked: $"Add {i} and 9.", Told: $"{i} + 9 = {i + 9}")).ToArray();
        var alone = new List<string>();
        foreach (var (asked, _) in sums.Take(4)) alone.Add((await chat.GetResponseAsync(asked, Greedy)).Text);
        var together = await Task.WhenAll(sums.Select(async sum => (await chat.GetResponseAsync(sum.Asked, Greedy)).Text));
        Assert.That(together.Take(4), Is.EqualTo(alone));
        Assert.That(together.Zip(sums).Count(pair => pair.First == pair.Second.Told), Is.GreaterThanOrEqualTo(21));
    }

    [Test]
    public async Task Gives_itself_its_data_and_its_engine()
    {
        using var chat = await ClientAsync();
        Assert.That(chat.GetService<ChatClientMetadata>()!.ProviderName, Is.EqualTo("quilt"));
        Assert.That(chat.GetService<ChatClientMetadata>()!.DefaultModelId, Is.EqualTo("demo"));
        Assert.That(chat.GetService<Engine>(), Is.SameAs(await DemoHost.EngineAsync()));
        Assert.That(chat.GetService<IChatClient>(), Is.SameAs(chat));
        Assert.That(chat.GetService(typeof(IChatClient), "key"), Is.Null);
        Assert.That(chat.GetService<string>(), Is.Null);
    }

    [Test]
    public async Task Frees_what_a_reply_holds_when_it_is_cancelled_or_left()
    {
        await using var engine = await Engine.OpenAsync(DemoHost.Folder, new EngineOptions { Threads = 1, PrefixCaching = false });
        using var chat = new QuiltChatClient(engine, "demo");
        var endless = new ChatOptions { AdditionalProperties = new() { ["ignore_eos"] = true } };
        using (var cancel = new CancellationTokenSource())
        {
            Assert.That(async () =>
            {
                await foreach (var _ in chat.GetStreamingResponseAsync("Hello", endless, cancel.Token)) await cancel.CancelAsync();
            }, Throws.InstanceOf<OperationCanceledException>());
        }
        await foreach (var _ in chat.GetStreamingResponseAsync("Hello", endless)) break;
        using (var cancel = new CancellationTokenSource(50))
            Assert.That(() => chat.GetResponseAsync("Hello", endless, cancel.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(() => engine.Snapshot() is { Running: 0, Waiting: 0, BlocksUsed: 0 }, Is.True.After(3000, 10));
        Assert.That(() => chat.GetResponseAsync("Hello", endless, new CancellationToken(canceled: true)),
            Throws.InstanceOf<OperationCanceledException>());
    }

    private static async Task<QuiltChatClient> ClientAsync() => new(await DemoHost.ModelsAsync(), null);

    private static ChatOptions WithWeather() => new()
    {
        Temperature = 0,
        MaxOutputTokens = 200,
        Tools = [AIFunctionFactory.Create((string city, string? unit) => "", "get_weather", "Get the current weather of a city.")],
    };

    private static string Told(ChatResponse response) => string.Join('|', response.Messages.SelectMany(message => message.Contents).Select(content =>
        content switch
        {
            TextReasoningContent thought => $"thinks {thought.Text}",
            TextContent said => $"says {said.Text}",
            FunctionCallContent call => $"calls {call.Name} {string.Join(',', call.Arguments!.Select(one => $"{one.Key}={one.Value}"))}",
            _ => content.GetType().Name,
        }));
}
