using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Quilt.Tests.Hosting.Browser;

/// <summary>A Chromium without a window, spoken to over its DevTools protocol. One serves a fixture; every page has storage of its own.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

    private readonly Process process;
    private readonly string profile;

    private Chromium(Process process, string profile, DevTools tools) => (this.process, this.profile, Tools) = (process, profile, tools);

    /// <summary>The connection to it.</summary>
    public DevTools Tools { get; }

    /// <summary>Starts one. Where there is none the tests are skipped, and say so.</summary>
    public static async Task<Chromium> StartAsync()
    {
        var program = Find();
        if (program is null)
            Assert.Ignore($"There is no Chromium here: none of {string.Join(", ", Names)} in PATH, and QUILT_CHROMIUM names none.");
        var profile = Directory.CreateTempSubdirectory("quilt-chromium-").FullName;
        var start = new ProcessStartInfo(program!) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in new[]
        {
            "--remote-debugging-port=0", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
            "--disable-extensions", "--disable-background-networking", "--disable-dev-shm-usage", "--force-color-profile=srgb",
            // As on a desk: the pointer can rest on things.
            "--blink-settings=availableHoverTypes=2,primaryHoverType=2,availablePointerTypes=4,primaryPointerType=4",
            $"--user-data-dir={profile}", "about:blank",
        }) start.ArgumentList.Add(argument);
        var process = Process.Start(start)!;
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            return new Chromium(process, profile, await DevTools.ConnectAsync(await AddressAsync(process, limit.Token), limit.Token));
        }
        catch
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>A page with empty storage, of this size.</summary>
    public async Task<BrowserPage> OpenAsync(Uri address, int width = 1280, int height = 800, bool isPhone = false, bool isDark = false)
    {
        var made = await Tools.CallAsync("Target.createBrowserContext", new());
        return await OpenTabAsync(made.GetProperty("browserContextId").GetString()!, address, width, height, isPhone, isDark);
    }

    /// <summary>One more tab beside another, which sees the same storage.</summary>
    public Task<BrowserPage> OpenBesideAsync(BrowserPage other, Uri address) => OpenTabAsync(other.Storage, address, 1280, 800, false, false);

    public async ValueTask DisposeAsync()
    {
        await Tools.DisposeAsync();
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        try
        {
            Directory.Delete(profile, recursive: true);
        }
        catch (IOException)
        {
            // A child of it still writes; the system's folder for such things is cleared by the system.
        }
    }

    private async Task<BrowserPage> OpenTabAsync(string storage, Uri address, int width, int height, bool isPhone, bool isDark)
    {
        var target = await Tools.CallAsync("Target.createTarget", new() { ["url"] = "about:blank", ["browserContextId"] = storage });
        var session = await Tools.CallAsync("Target.attachToTarget",
            new() { ["targetId"] = target.GetProperty("targetId").GetString(), ["flatten"] = true });
        var page = new BrowserPage(Tools, session.GetProperty("sessionId").GetString()!, storage);
        await page.SetUpAsync(width, height, isPhone, isDark);
        await page.GoAsync(address);
        return page;
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("QUILT_CHROMIUM") is { Length: > 0 } named) return named;
        if (!RuntimeInformation.IsOSPlatform(OSPlatform.Linux) && !RuntimeInformation.IsOSPlatform(OSPlatform.OSX)) return null;
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return Names.SelectMany(name => folders.Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists);
    }

    private static async Task<Uri> AddressAsync(Process process, CancellationToken cancel)
    {
        const string Mark = "DevTools listening on ";
        var said = new List<string>();
        while (await process.StandardError.ReadLineAsync(cancel) is { } line)
        {
            said.Add(line);
            if (!line.StartsWith(Mark, StringComparison.Ordinal)) continue;
            // What it says later is read and thrown away, so that it never waits for a reader.
            _ = DrainAsync(process.StandardError);
            _ = DrainAsync(process.StandardOutput);
            return new Uri(line[Mark.Length..].Trim());
        }
        throw new InvalidOperationException($"Chromium did not start: {string.Join('\n', said)}");
    }

    private static async Task DrainAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is not null)
        {
        }
    }
}
