using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Quilt.Tests.Hosting.Browser;

/// <summary>A tab: what a test does in it, and what it reads there. Whatever the page complains of (errors, blocked loads) is kept.</summary>
internal sealed class BrowserPage
{
    private static readonly Dictionary<string, (string Code, int Number, string? Text)> Keys = new()
    {
        ["Tab"] = ("Tab", 9, null), ["Enter"] = ("Enter", 13, "\r"), ["Escape"] = ("Escape", 27, null), ["Space"] = ("Space", 32, " "),
        ["ArrowRight"] = ("ArrowRight", 39, null), ["ArrowLeft"] = ("ArrowLeft", 37, null),
    };

    private readonly DevTools tools;
    private readonly string session;
    private readonly ConcurrentQueue<string> complaints = new();

    public BrowserPage(DevTools tools, string session, string storage)
    {
        (this.tools, this.session, Storage) = (tools, session, storage);
        tools.Happened += Hear;
    }

    /// <summary>Whose storage it sees.</summary>
    public string Storage { get; }

    /// <summary>Errors of the page's scripts, and loads that its policy forbade. An answer that is an error is none: tests ask for these.</summary>
    public IReadOnlyCollection<string> Complaints => complaints;

    public async Task SetUpAsync(int width, int height, bool isPhone, bool isDark)
    {
        await CallAsync("Page.enable", new());
        await CallAsync("Runtime.enable", new());
        await CallAsync("Log.enable", new());
        await CallAsync("Emulation.setDeviceMetricsOverride",
            new() { ["width"] = width, ["height"] = height, ["deviceScaleFactor"] = 1, ["mobile"] = isPhone });
        await CallAsync("Emulation.setFocusEmulationEnabled", new() { ["enabled"] = true });
        await SchemeAsync(isDark);
    }

    /// <summary>What the system prefers.</summary>
    public Task SchemeAsync(bool isDark) => CallAsync("Emulation.setEmulatedMedia", new()
    {
        ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = isDark ? "dark" : "light" }),
    });

    /// <summary>Goes there, and waits until the page is ready.</summary>
    public async Task GoAsync(Uri address)
    {
        await CallAsync("Page.navigate", new() { ["url"] = address.ToString() });
        await UntilAsync("document.documentElement.dataset.ready === 'true'");
    }

    /// <summary>Loads it again.</summary>
    public async Task ReloadAsync()
    {
        await RunAsync("delete document.documentElement.dataset.ready");
        await CallAsync("Page.reload", new());
        await UntilAsync("document.documentElement.dataset.ready === 'true'");
    }

    /// <summary>What an expression gives, as JSON.</summary>
    public async Task<JsonElement> RunAsync(string expression)
    {
        var answer = await CallAsync("Runtime.evaluate",
            new() { ["expression"] = expression, ["awaitPromise"] = true, ["returnByValue"] = true, ["userGesture"] = true });
        if (answer.TryGetProperty("exceptionDetails", out var thrown)) throw new InvalidOperationException($"{expression}: {thrown}");
        return answer.GetProperty("result").TryGetProperty("value", out var value) ? value : default;
    }

    /// <summary>Waits until an expression is true.</summary>
    public async Task UntilAsync(string expression, int seconds = 15)
    {
        var begun = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begun) < TimeSpan.FromSeconds(seconds))
        {
            try
            {
                if ((await RunAsync($"Boolean({expression})")).ValueKind == JsonValueKind.True) return;
            }
            catch (InvalidOperationException)
            {
                // What it asks of is not there yet, or the page is being loaded.
            }
            await Task.Delay(20);
        }
        var shown = await RunAsync("document.body.innerText");
        Assert.Fail($"Not within {seconds} s: {expression}\n{string.Join('\n', complaints)}\nThe page shows:\n{shown}");
    }

    /// <summary>The text of the first element that fits.</summary>
    public async Task<string> TextAsync(string selector) =>
        (await RunAsync($"document.querySelector({Quoted(selector)})?.innerText ?? '(nothing fits)'")).GetString()!;

    public Task ClickAsync(string selector) => RunAsync($"document.querySelector({Quoted(selector)}).click()");

    /// <summary>Puts a text into a field, as typing does.</summary>
    public async Task FillAsync(string selector, string text)
    {
        await RunAsync($"(() => {{ const field = document.querySelector({Quoted(selector)}); field.focus(); field.select?.(); }})()");
        await TypeAsync(text);
    }

    /// <summary>Types where the focus is.</summary>
    public Task TypeAsync(string text) => CallAsync("Input.insertText", new() { ["text"] = text });

    /// <summary>Writes a message and sends it.</summary>
    public async Task SayAsync(string text)
    {
        await FillAsync("#prompt", text);
        await PressAsync("Enter");
    }

    /// <summary>Presses keys, one after another.</summary>
    public async Task PressAsync(params string[] keys)
    {
        foreach (var key in keys)
        {
            var (code, number, text) = Keys[key];
            await CallAsync("Input.dispatchKeyEvent", Key(text is null ? "rawKeyDown" : "keyDown"));
            await CallAsync("Input.dispatchKeyEvent", Key("keyUp"));

            JsonObject Key(string type)
            {
                var name = key == "Space" ? " " : key;
                var what = new JsonObject { ["type"] = type, ["key"] = name, ["code"] = code, ["windowsVirtualKeyCode"] = number };
                if (text is not null && type == "keyDown") what["text"] = text;
                return what;
            }
        }
    }

    /// <summary>Closes the tab.</summary>
    public async Task CloseAsync()
    {
        await CallAsync("Page.close", new());
        tools.Happened -= Hear;
    }

    /// <summary>A picture of it.</summary>
    public async Task<byte[]> PictureAsync(string format = "png")
    {
        var answer = await CallAsync("Page.captureScreenshot", new() { ["format"] = format });
        return answer.GetProperty("data").GetBytesFromBase64();
    }

    private static string Quoted(string text) => JsonSerializer.Serialize(text);

    private Task<JsonElement> CallAsync(string method, JsonObject parameters) => tools.CallAsync(method, parameters, session);

    private void Hear(string from, string what, JsonElement how)
    {
        if (from != session) return;
        if (what == "Runtime.exceptionThrown") complaints.Enqueue(how.ToString());
        if (what == "Log.entryAdded" && how.GetProperty("entry") is var entry && entry.GetProperty("source").GetString() != "network")
            complaints.Enqueue(entry.GetProperty("text").GetString()!);
        if (what == "Runtime.consoleAPICalled" && how.GetProperty("type").GetString() is "error" or "warning") complaints.Enqueue(how.ToString());
    }
}
