using Quilt.Tests.Hosting.Browser;

namespace Quilt.Tests.Hosting;

/// <summary>
/// A conversation with the demo model over the real API: thinking, a tool's call, its result, the answer. What the page then looks like is the
/// README's picture (docs/page.png): the environment variable QUILT_PICTURE names the file that it is written to; without it, it is only weighed.
/// </summary>
public sealed class PagePictureTests : PageFixture
{
    private const int MostBytes = 120_000;

    private const string Tools = """
        [{"type": "function", "function": {"name": "get_weather", "description": "Get the current weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
        "required": ["city"]}}}]
        """;

    private const string Sampling = "temperature: 0, max_completion_tokens: 300";

    private static readonly string[] Questions = ["Write a story about Nora the frog.", "Say hello in Italian.", "What can you do?"];

    [Test]
    public async Task The_demo_model_calls_a_tool_and_tells_what_it_gave()
    {
        await using var app = await DemoServer.StartAsync();
        var page = await Chromium.OpenAsync(new Uri(app.Urls.First()));
        await page.RunAsync($"localStorage.setItem('quilt.settings', JSON.stringify({{ {Sampling} }}))");
        await page.ReloadAsync();
        await page.UntilAsync("document.getElementById('model').value === 'demo'");
        foreach (var question in Questions)
        {
            await page.SayAsync(question);
            await page.UntilAsync("document.querySelector('.message.reply:last-child .again')", seconds: 60);
            Assert.That((await page.TextAsync(".message:last-child .markdown")).Trim(), Is.Not.Empty, question);
            await page.ClickAsync("#new-chat");
            await page.UntilAsync("document.querySelector('.welcome')");
        }

        await page.ClickAsync("#open-settings");
        await page.FillAsync("#setting-tools", Tools);
        await page.ClickAsync("#settings-close");
        await page.SayAsync("What is the weather in Monaco?");
        await page.UntilAsync("document.querySelector('.call.open textarea')", seconds: 60);
        Assert.That(await page.TextAsync(".call-name"), Is.EqualTo("get_weather"));
        Assert.That(await page.TextAsync(".call-arguments"), Does.Contain("Monaco"));
        await page.FillAsync(".call textarea", """{"city": "Monaco", "temperature": 24, "weather": "rainy"}""");
        await page.ClickAsync(".call .primary");
        await page.UntilAsync("document.querySelectorAll('.message.reply').length === 2 && document.querySelector('.message:last-child .again')", 60);
        Assert.That(await page.TextAsync(".message:last-child .markdown"), Does.Contain("Monaco").And.Contain("24"));
        await page.UntilAsync("document.querySelectorAll('.conversation').length === 4 && document.querySelector('.conversation[aria-current]')");
        await page.RunAsync("document.activeElement.blur()");
        var picture = await page.PictureAsync();
        if (Environment.GetEnvironmentVariable("QUILT_PICTURE") is { Length: > 0 } path) await File.WriteAllBytesAsync(path, picture);
        Assert.That(picture, Has.Length.InRange(20_000, MostBytes));
        Assert.That(page.Complaints, Is.Empty);
        await app.StopAsync();
    }
}
