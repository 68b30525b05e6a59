using Quilt.Runtime;
using Quilt.Tests.Hosting.Browser;

namespace Quilt.Tests.Hosting;

/// <summary>The page before a real engine: its tab, and a conversation with the demo model over the real API.</summary>
public sealed class PageEngineTests : PageFixture
{
    [Test]
    public async Task The_engine_tab_shows_a_request_that_runs()
    {
        using var lease = await Server.Models.UseAsync(null, default);
        var page = await OpenAsync();
        await page.ClickAsync("#tab-engine");
        await page.UntilAsync("document.querySelector('.model-panel h2')?.innerText === 'demo'");
        Assert.That((await page.RunAsync("document.querySelectorAll('.lane').length")).GetInt32(), Is.Zero);

        using var stop = new CancellationTokenSource();
        var endless = new GenerationRequest { Text = "Once", Sampling = new() { MaxTokens = 4000, IgnoreEos = true } };
        var generation = lease.Submit(endless, stop.Token)[0];
        var reading = generation.ReadToEndAsync();
        await page.UntilAsync("document.querySelector('.lane[data-state=generating]')");
        await page.UntilAsync("Number(document.querySelector('.figure .value').innerText) === 1");
        await page.UntilAsync("parseFloat(document.querySelectorAll('.figure .value')[2].innerText.replace(',', '')) > 0");
        await page.UntilAsync("document.querySelector('.bar-write').getBoundingClientRect().width > 0");

        await stop.CancelAsync();
        await ((Task)reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await page.UntilAsync("document.querySelector('.lane[data-state=ended] .lane-state').innerText === 'stopped'");
        Assert.That(Server.Feed.Listeners, Is.EqualTo(1));
        await page.ClickAsync("#tab-chat");
        for (var i = 0; Server.Feed.Listeners != 0 && i < 500; i++) await Task.Delay(10);
        Assert.That(Server.Feed.Listeners, Is.Zero, "nobody looks, nothing runs");
    }

    [Test]
    public async Task A_conversation_with_the_demo_model_of_a_server_that_asks_for_a_key()
    {
        await using var app = await DemoServer.StartAsync("a-long-key");
        var page = await Chromium.OpenAsync(new Uri(app.Urls.First()));
        await page.UntilAsync("document.getElementById('key-dialog').open");
        await page.FillAsync("#key-input", "a-long-key");
        await page.PressAsync("Enter");
        await page.UntilAsync("document.getElementById('model').value === 'demo'");
        await page.ClickAsync("#open-settings");
        await page.FillAsync("#setting-max_completion_tokens", "60");
        await page.FillAsync("#setting-temperature", "0");
        await page.PressAsync("Escape");
        await page.SayAsync("Tell me a story about a cat.");
        await page.UntilAsync("document.querySelector('.again')", seconds: 60);
        Assert.That((await page.RunAsync("document.querySelectorAll('.error').length")).GetInt32(), Is.Zero);
        var thought = (await page.RunAsync("document.querySelector('.thinking-text').textContent")).GetString()!;
        var said = await page.TextAsync(".markdown");
        Assert.That(thought.Length + said.Length, Is.GreaterThan(10));
        var figures = await page.TextAsync(".figures");
        Assert.That(figures, Does.Match(@"^\d+ tokens"));
        Assert.That(page.Complaints, Is.Empty);
        await page.ClickAsync("#tab-engine");
        await page.UntilAsync("document.querySelector('.lane[data-state=ended]')");
        Assert.That(await page.TextAsync(".lane-tokens"), Does.EndWith($"→ {figures.Split(' ')[0]}"), "the newest lane is this request's");
        await app.StopAsync();
    }
}
