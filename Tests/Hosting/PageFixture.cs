using Quilt.Tests.Hosting.Browser;

namespace Quilt.Tests.Hosting;

/// <summary>One browser for all fixtures that need it, gone with the last of them.</summary>
[SetUpFixture]
public sealed class SharedBrowser
{
    private static Chromium? started;

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (started is not null) await started.DisposeAsync();
        started = null;
    }

    internal static async Task<Chromium> UseAsync() => started ??= await Chromium.StartAsync();
}

/// <summary>A server for every test, pages of the shared browser; and no test passes with a page that complained.</summary>
public abstract class PageFixture
{
    private readonly List<BrowserPage> pages = [];

    private protected Chromium Chromium { get; private set; } = null!;

    private protected ScriptedServer Server { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task StartBrowser() => Chromium = await SharedBrowser.UseAsync();

    [SetUp]
    public async Task StartServer() => Server = await ScriptedServer.StartAsync();

    [TearDown]
    public async Task StopServer()
    {
        foreach (var page in pages) await page.CloseAsync();
        await Server.DisposeAsync();
        var complaints = pages.SelectMany(page => page.Complaints).ToArray();
        pages.Clear();
        Assert.That(complaints, Is.Empty, "errors of the page, or loads that its policy forbade");
    }

    private protected async Task<BrowserPage> OpenAsync(int width = 1280, int height = 800, bool isPhone = false, bool isDark = false) =>
        Keep(await Chromium.OpenAsync(Server.Address, width, height, isPhone, isDark));

    private protected async Task<BrowserPage> OpenBesideAsync(BrowserPage other, string at = "") =>
        Keep(await Chromium.OpenBesideAsync(other, new Uri(Server.Address, at)));

    private BrowserPage Keep(BrowserPage page)
    {
        pages.Add(page);
        return page;
    }
}
