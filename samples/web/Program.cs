using System.ComponentModel;
using Microsoft.Extensions.AI;
using Quilt.Hosting;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddQuilt(o => o.Model = builder.Configuration["model"] ?? Path.Combine(AppContext.BaseDirectory, "Demo"));
builder.Services.AddChatClient(services => services.GetRequiredService<QuiltChatClient>()).UseFunctionInvocation();

var app = builder.Build();
var tools = new List<AITool> { AIFunctionFactory.Create(GetWeather, "get_weather") };

// curl 'http://127.0.0.1:5000/ask?question=What is the weather in Seoul? Use celsius.'
app.MapGet("/ask", async (string question, IChatClient chat, CancellationToken cancel) =>
{
    var response = await chat.GetResponseAsync(question, new ChatOptions { Temperature = 0, MaxOutputTokens = 500, Tools = tools }, cancel);
    var calls = response.Messages.SelectMany(message => message.Contents).OfType<FunctionCallContent>();
    return new Reply(response.Text, [.. calls.Select(call => $"{call.Name}({string.Join(", ", call.Arguments?.Values ?? [])})")]);
});
app.Run();

[Description("Get the current weather of a city.")]
static string GetWeather(string city, string? unit = null) => $"12 degrees {unit}, light rain";

internal sealed record Reply(string Answer, string[] Calls);
