using System.ClientModel;
using System.Text.Json;
using Microsoft.Extensions.AI;
using OpenAI;
using OpenAI.Chat;

namespace Quilt.Tests.Hosting.OpenAi;

/// <summary>OpenAI's own client for .NET, and Microsoft.Extensions.AI over it, talk to the server as they would to OpenAI's.</summary>
public sealed class OfficialClientTests
{
    private const string Called = "I look.</think>Let me see.<minimax:tool_call><invoke name=\"weather\"><parameter name=\"city\">Paris</parameter>" +
        "</invoke></minimax:tool_call>";

    [Test]
    public async Task Answers_whole_and_in_pieces()
    {
        await using var host = await HttpHost.StartAsync();
        var chat = ClientOf(host).GetChatClient("demo");
        var options = new ChatCompletionOptions { Temperature = 0 };
        ChatCompletion whole = await chat.CompleteChatAsync([new UserChatMessage("What is the capital of France?")], options);
        Assert.That(whole.Content[0].Text, Does.Contain("Paris"));
        Assert.That(whole.FinishReason, Is.EqualTo(OpenAI.Chat.ChatFinishReason.Stop));
        Assert.That(whole.Usage.OutputTokenDetails.ReasoningTokenCount, Is.GreaterThan(0));

        var text = "";
        var usage = 0;
        await foreach (var update in chat.CompleteChatStreamingAsync([new UserChatMessage("What is the capital of France?")], options))
        {
            text += string.Concat(update.ContentUpdate.Select(part => part.Text));
            usage = update.Usage?.OutputTokenCount ?? usage;
        }
        Assert.That(text, Is.EqualTo(whole.Content[0].Text));
        Assert.That(usage, Is.EqualTo(whole.Usage.OutputTokenCount));
    }

    [Test]
    public async Task Calls_a_tool_and_hears_what_it_said([Values] bool isStream)
    {
        var script = new Script(Called, "Good.</think>It is sunny.");
        await using var host = await HttpHost.StartAsync(script);
        using var client = ClientOf(host).GetChatClient("demo").AsIChatClient();
        using var calling = client.AsBuilder().UseFunctionInvocation().Build();
        var asked = "";
        var options = new ChatOptions { Tools = [AIFunctionFactory.Create((string city) => { asked = city; return "sunny"; }, "weather")] };
        var response = isStream ? await calling.GetStreamingResponseAsync("Weather?", options).ToChatResponseAsync()
            : await calling.GetResponseAsync("Weather?", options);
        Assert.That(asked, Is.EqualTo("Paris"));
        Assert.That(response.Text, Does.EndWith("It is sunny."));
        Assert.That(script.Prompts[1], Does.Contain("sunny").And.Contain("Paris"));
    }

    [Test]
    public async Task Thinking_comes_as_thinking()
    {
        await using var host = await HttpHost.StartAsync(new Script("I think.</think>Yes."));
        using var client = ClientOf(host).GetChatClient("demo").AsIChatClient();
        var response = await client.GetStreamingResponseAsync("Well?").ToChatResponseAsync();
        var contents = response.Messages[0].Contents;
        Assert.That(string.Concat(contents.OfType<TextReasoningContent>().Select(content => content.Text)), Is.EqualTo("I think."));
        Assert.That(response.Text, Is.EqualTo("Yes."));
    }

    [Test]
    public async Task A_reply_has_the_form_of_a_type()
    {
        await using var host = await HttpHost.StartAsync();
        using var client = ClientOf(host).GetChatClient("demo").AsIChatClient();
        var response = await client.GetResponseAsync<Answer>("What is the capital of France?",
            new ChatOptions { Temperature = 0, MaxOutputTokens = 300 });
        Assert.That(response.TryGetResult(out var answer), Is.True, response.Text);
        Assert.That(Enum.IsDefined(answer!.Capital), Is.True);
    }

    [Test]
    public async Task Log_probabilities_and_several_replies_are_understood()
    {
        await using var host = await HttpHost.StartAsync();
        var chat = ClientOf(host).GetChatClient("demo");
        ChatCompletion answer = await chat.CompleteChatAsync([new UserChatMessage("Hello")],
            new ChatCompletionOptions { IncludeLogProbabilities = true, TopLogProbabilityCount = 3, MaxOutputTokenCount = 4 });
        Assert.That(answer.ContentTokenLogProbabilities, Has.Count.EqualTo(4));
        Assert.That(answer.ContentTokenLogProbabilities[0].TopLogProbabilities, Has.Count.EqualTo(3));
    }

    [Test]
    public async Task An_error_is_told_as_one()
    {
        await using var host = await HttpHost.StartAsync();
        var wrong = await Assert.ThrowsAsync<ClientResultException>(() =>
            ClientOf(host).GetChatClient("nope").CompleteChatAsync([new UserChatMessage("x")]));
        Assert.That(wrong!.Status, Is.EqualTo(404));
        Assert.That(wrong.Message, Does.Contain("does not exist"));
    }

    [Test]
    public async Task Models_are_listed()
    {
        await using var host = await HttpHost.StartAsync();
        var models = await ClientOf(host).GetOpenAIModelClient().GetModelsAsync();
        Assert.That(models.Value.Select(model => model.Id), Is.EqualTo(["demo"]));
    }

    private static OpenAIClient ClientOf(HttpHost host) =>
        new(new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri($"{host.Url}/v1") });

    private sealed record Answer(City Capital);

    private enum City
    {
        Paris,
        Lima,
    }
}
