#pragma warning disable OPENAI001 // The client is marked as one that may change.
using System.ClientModel;
using Microsoft.Extensions.AI;
using OpenAI.Responses;

namespace Quilt.Tests.Hosting.OpenAi;

/// <summary>OpenAI's own client for .NET against /v1/responses, and Microsoft.Extensions.AI on top of it.</summary>
public sealed class ResponsesClientTests
{
    private const string Calling = WeatherReply.Whole;

    private static readonly ResponseTool Weather = ResponseTool.CreateFunctionTool("get_weather",
        BinaryData.FromString(WeatherReply.Parameters), strictModeEnabled: false, functionDescription: "The weather.");

    [Test]
    public async Task Reads_an_answer_and_goes_on_with_it()
    {
        var script = new Script(Calling, "Now I know.</think>Sun.");
        await using var host = await HttpHost.StartAsync(script);
        var client = Client(host);
        var options = new CreateResponseOptions("demo", [ResponseItem.CreateUserMessageItem("What is the weather in Seoul?")])
        {
            Instructions = "Be brief.",
            MaxOutputTokenCount = 100,
            Tools = { Weather },
        };
        ResponseResult first = await client.CreateResponseAsync(options);
        Assert.That(first.Status, Is.EqualTo(ResponseStatus.Completed));
        Assert.That(first.GetOutputText(), Is.EqualTo("Wait."));
        Assert.That(first.OutputItems.OfType<ReasoningResponseItem>().Count(), Is.EqualTo(1));
        var call = first.OutputItems.OfType<FunctionCallResponseItem>().Single();
        Assert.That((call.FunctionName, call.FunctionArguments.ToString()), Is.EqualTo(("get_weather", """{"city": "Seoul"}""")));
        Assert.That(first.Usage.OutputTokenDetails.ReasoningTokenCount, Is.GreaterThan(0));

        ResponseResult second = await client.CreateResponseAsync(new CreateResponseOptions
        {
            Model = "demo",
            InputItems = { ResponseItem.CreateFunctionCallOutputItem(call.CallId, "sun") },
            PreviousResponseId = first.Id,
            Tools = { Weather },
        });
        Assert.That(second.GetOutputText(), Is.EqualTo("Sun."));
        Assert.That(script.Prompts[1], Does.Contain("<think>\nI look.\n</think>").And.Contain("<response>sun</response>"));

        ResponseResult kept = await client.GetResponseAsync(second.Id);
        Assert.That(kept.GetOutputText(), Is.EqualTo("Sun."));
        ResponseDeletionResult deleted = await client.DeleteResponseAsync(second.Id);
        Assert.That(deleted.Deleted, Is.True);
        Assert.That(async () => await client.GetResponseAsync(second.Id),
            Throws.InstanceOf<ClientResultException>().With.Property("Status").EqualTo(404));
    }

    [Test]
    public async Task Reads_an_answer_as_it_comes()
    {
        await using var host = await HttpHost.StartAsync(new Script(Calling));
        var options = new CreateResponseOptions("demo", [ResponseItem.CreateUserMessageItem("What is the weather?")])
            { StreamingEnabled = true, Tools = { Weather } };
        var (text, thinking, arguments) = ("", "", "");
        ResponseResult? whole = null;
        var numbers = new List<int>();
        await foreach (var update in await Client(host).CreateResponseStreamingAsync(options))
        {
            numbers.Add(update.SequenceNumber);
            switch (update)
            {
                case StreamingResponseOutputTextDeltaUpdate more:
                    text += more.Delta;
                    break;
                case StreamingResponseReasoningTextDeltaUpdate more:
                    thinking += more.Delta;
                    break;
                case StreamingResponseFunctionCallArgumentsDeltaUpdate more:
                    arguments += more.Delta;
                    break;
                case StreamingResponseCompletedUpdate over:
                    whole = over.Response;
                    break;
            }
        }
        Assert.That((text, thinking, arguments), Is.EqualTo(("Wait.", "I look.", """{"city": "Seoul"}""")));
        Assert.That(whole!.GetOutputText(), Is.EqualTo("Wait."));
        Assert.That(numbers, Is.EqualTo(Enumerable.Range(0, numbers.Count)));
    }

    [Test]
    public async Task Asks_for_a_form()
    {
        var script = new Script("a</think>{\"n\": 7}");
        await using var host = await HttpHost.StartAsync(script);
        ResponseResult answer = await Client(host).CreateResponseAsync(new CreateResponseOptions
        {
            Model = "demo",
            InputItems = { ResponseItem.CreateUserMessageItem("Count.") },
            TextOptions = new()
            {
                TextFormat = ResponseTextFormat.CreateJsonSchemaFormat("n",
                    BinaryData.FromString("""{"type": "object", "properties": {"n": {"type": "integer"}}}""")),
            },
            ReasoningOptions = new() { ReasoningEffortLevel = ResponseReasoningEffortLevel.Low },
        });
        Assert.That(answer.GetOutputText(), Is.EqualTo("{\"n\": 7}"));
        Assert.That(script.Requests[0].Output, Is.Not.Null);
    }

    // Not as a stream: Microsoft.Extensions.AI.OpenAI 10.11 calls a method for it that OpenAI 2.15 does not have any more.
    [Test]
    public async Task Calls_functions_below_Microsoft_Extensions_AI()
    {
        var script = new Script(Calling, "Now I know.</think>Sun.");
        await using var host = await HttpHost.StartAsync(script);
        using var client = Client(host).AsIChatClient("demo").AsBuilder().UseFunctionInvocation().Build();
        var options = new ChatOptions { Tools = [AIFunctionFactory.Create((string city) => $"sun in {city}", "get_weather", "The weather.")] };
        var response = await client.GetResponseAsync("What is the weather?", options);
        Assert.That(response.Messages[^1].Text, Is.EqualTo("Sun."));
        Assert.That(script.Prompts[1], Does.Contain("sun in Seoul").And.Contain("<think>\nI look.\n</think>"));
    }

    private static ResponsesClient Client(HttpHost host) =>
        new(new ApiKeyCredential("none"), new ResponsesClientOptions { Endpoint = new Uri(host.Url + "/v1") });
}
