using System.Text.Json;
using Quilt.Tests.Hosting.Browser;

namespace Quilt.Tests.Hosting;

/// <summary>The page under people's hands: errors, keys, keyboards, phones, colours, settings; and text that means harm.</summary>
public sealed class PageUseTests : PageFixture
{
    private const string Done = "document.querySelector('.message.reply:last-of-type .again')";
    private const string Focus = "document.activeElement.id || document.activeElement.className";

    private const string FromTheTop = "document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex')";

    private const string Everything = """
        # A heading

        A paragraph with **bold**, *italic*, `code`, ~~gone~~ and [a link](https://example.com/a_(b)) and https://example.com/x.

        1. one
           - inner `x < y`
        2. two

        - [x] done
        - [ ] open

        > quoted
        > - list

        | a | b |
        |---|--:|
        | 1 | 2 \| 3 |

        ```python
        def f(x):  # a comment
            return "text" + 1
        ```
        ---
        """;

    [Test]
    public async Task An_error_of_the_server_is_shown_and_can_be_tried_again()
    {
        var count = 0;
        Server.Script = (_, reply) => Interlocked.Increment(ref count) switch
        {
            1 => reply.RefuseAsync(400, "max_tokens is too large."),
            2 => FailAsync(reply),
            3 => CutAsync(reply),
            _ => reply.SayAsync("At last."),
        };
        var page = await OpenAsync();
        await page.SayAsync("Try");
        await page.UntilAsync("document.querySelector('.error[role=alert]')");
        Assert.That(await page.TextAsync(".error"), Is.EqualTo("max_tokens is too large."));
        await page.ClickAsync(".again");
        await page.UntilAsync("document.querySelector('.error')?.innerText.includes('The device failed.')");
        Assert.That(await page.TextAsync(".markdown"), Is.EqualTo("Half"), "what came before it stays");
        await page.ClickAsync(".again");
        await page.UntilAsync("/connection|read/.test(document.querySelector('.error')?.innerText)");
        await page.ClickAsync(".again");
        await page.UntilAsync("document.querySelector('.markdown')?.innerText === 'At last.' && !document.querySelector('.error')");

        static async Task FailAsync(StreamedReply reply)
        {
            await reply.SayAsync("Half");
            await reply.FailAsync("The device failed.");
        }

        static async Task CutAsync(StreamedReply reply)
        {
            await reply.SayAsync("Half");
            await Task.Delay(100);
            reply.Cut();
        }
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_server_with_keys_asks_for_one(bool isKept)
    {
        Server.Key = "a-long-key";
        var page = await OpenAsync();
        await page.UntilAsync("document.getElementById('key-dialog').open");
        await page.FillAsync("#key-input", "wrong");
        await page.PressAsync("Enter");
        await page.UntilAsync("document.getElementById('key-dialog').open && document.getElementById('key-input').value === ''");
        await page.FillAsync("#key-input", "a-long-key");
        if (isKept) await page.ClickAsync("#key-keep");
        await page.PressAsync("Enter");
        await page.UntilAsync("!document.getElementById('key-dialog').open && document.getElementById('model').value === 'demo'");
        await page.SayAsync("Hello");
        await page.UntilAsync(Done);
        Assert.That(await page.TextAsync(".markdown"), Is.EqualTo("Hello."));

        var beside = await OpenBesideAsync(page);
        await beside.UntilAsync(isKept ? "document.getElementById('model').value === 'demo'" : "document.getElementById('key-dialog').open");
    }

    [Test]
    public async Task A_keyboard_alone_is_enough()
    {
        Server.Script = (request, reply) => request.GetProperty("messages").GetArrayLength() > 1 ? EndlessAsync(reply) : reply.SayAsync("Hello.");
        var page = await OpenAsync();
        await page.RunAsync(FromTheTop);
        await page.PressAsync("Tab");
        Assert.That((await page.RunAsync(Focus)).GetString(), Is.EqualTo("skip"));
        Assert.That((await page.RunAsync("document.getElementById('skip').getBoundingClientRect().top >= 0")).GetBoolean(), Is.True, "it is seen");
        await page.PressAsync("Enter");
        Assert.That((await page.RunAsync(Focus)).GetString(), Is.EqualTo("prompt"));
        await page.TypeAsync("Hello");
        await page.PressAsync("Enter");
        await page.UntilAsync(Done);

        // Esc stops what runs.
        await page.TypeAsync("Again");
        await page.PressAsync("Enter");
        await page.UntilAsync("document.querySelectorAll('.markdown')[1]?.innerText.length > 5");
        await page.PressAsync("Escape");
        await page.UntilAsync("document.querySelectorAll('.again').length === 1 && document.getElementById('stop').hidden");

        // Everything can be reached, and shows that it was.
        await page.RunAsync(FromTheTop);
        var seen = new List<string>();
        for (var i = 0; i < 40; i++)
        {
            await page.PressAsync("Tab");
            var focused =
                await page.RunAsync("(({ id, ariaLabel, name, className }) => id || ariaLabel || name || className)(document.activeElement)");
            seen.Add(focused.GetString()!);
            // Of these the frame around them shows it.
            if (seen[^1] is "" or "theme" or "prompt") continue;
            var outline = (await page.RunAsync("getComputedStyle(document.activeElement).outlineStyle")).GetString();
            Assert.That(outline, Is.EqualTo("solid"), seen[^1]);
        }
        string[] controls =
            ["new-chat", "conversation", "theme", "open-settings", "tab-chat", "model", "Regenerate", "Copy", "prompt", "composer-settings"];
        Assert.That(controls, Is.SubsetOf(seen));

        // Tabs by arrows; a dialog by Enter, and away by Esc.
        await page.RunAsync("document.getElementById('tab-chat').focus()");
        await page.PressAsync("ArrowRight");
        await page.UntilAsync("!document.getElementById('panel-engine').hidden && document.activeElement.id === 'tab-engine'");
        await page.PressAsync("ArrowLeft");
        await page.UntilAsync("document.getElementById('panel-engine').hidden");
        await page.RunAsync("document.getElementById('open-settings').focus()");
        await page.PressAsync("Enter");
        await page.UntilAsync("document.getElementById('settings').open");
        await page.PressAsync("Escape");
        await page.UntilAsync("!document.getElementById('settings').open && document.activeElement.id === 'open-settings'");

        static async Task EndlessAsync(StreamedReply reply)
        {
            while (true)
            {
                await reply.SayAsync("word ");
                await Task.Delay(15, reply.Gone);
            }
        }
    }

    [Test]
    public async Task Every_control_has_a_name()
    {
        Server.Script = (_, reply) => reply.SayAsync(Everything);
        var page = await OpenAsync();
        await page.SayAsync("Show all");
        await page.UntilAsync(Done);
        await page.ClickAsync("#open-settings");
        var nameless = await page.RunAsync("""
            [...document.querySelectorAll('button, input, textarea, select, [role=tab], dialog, nav, aside, [tabindex="0"]')].filter((element) =>
              !element.ariaLabel && !element.getAttribute('aria-labelledby') && !element.labels?.length && !element.innerText?.trim())
              .map((element) => element.outerHTML)
            """);
        Assert.That(nameless.EnumerateArray().Select(element => element.GetString()), Is.Empty);
        var doubled = await page.RunAsync("[...document.querySelectorAll('[id]')].map((e) => e.id).filter((id, i, all) => all.indexOf(id) !== i)");
        Assert.That(doubled.GetArrayLength(), Is.Zero, "an id is one element's");
    }

    [TestCase(390, 844)]
    [TestCase(320, 568)]
    public async Task A_phone_is_wide_enough(int width, int height)
    {
        var wide = $"\n\n{new string('w', 400)}\n\n```\n{new string('c', 400)}\n```\n\n| a | {new string('t', 300)} |\n|-|-|\n| 1 | 2 |";
        Server.Script = (_, reply) => reply.SayAsync(Everything + wide);
        var page = await OpenAsync(width, height, isPhone: true);
        await page.SayAsync($"Wide {new string('m', 300)}");
        await page.UntilAsync(Done);
        await AssertFits("the conversation");
        var reachable = await page.RunAsync("(({ right, bottom, width }) => right <= innerWidth && bottom <= innerHeight && width >= 40)" +
            "(document.getElementById('send').getBoundingClientRect())");
        Assert.That(reachable.GetBoolean(), Is.True, "the button is under the thumb");

        Assert.That((await page.RunAsync("getComputedStyle(document.getElementById('sidebar')).visibility")).GetString(), Is.EqualTo("hidden"));
        await page.ClickAsync("#sidebar-open");
        await page.UntilAsync("document.activeElement.id === 'sidebar-close'");
        await page.UntilAsync("document.getElementById('sidebar').getBoundingClientRect().left === 0");
        await AssertFits("the list");
        await page.PressAsync("Escape");
        await page.UntilAsync("document.activeElement.id === 'sidebar-open'");
        await page.ClickAsync("#tab-engine");
        await page.UntilAsync("document.querySelector('.figures-grid')");
        await AssertFits("the engine");
        await page.ClickAsync("#composer-settings");
        await AssertFits("the settings");

        async Task AssertFits(string what)
        {
            var over = await page.RunAsync("Math.max(...[...document.querySelectorAll('html, body, main, .scroll, .engine, .sheet-scroll')]" +
                ".map((element) => element.scrollWidth - element.clientWidth))");
            Assert.That(over.GetInt32(), Is.LessThanOrEqualTo(0), what);
        }
    }

    [Test]
    public async Task Colours_follow_the_system_or_the_switch()
    {
        var page = await OpenAsync(isDark: true);
        Assert.That(await LightAsync(page), Is.LessThan(60));
        await page.SchemeAsync(isDark: false);
        Assert.That(await LightAsync(page), Is.GreaterThan(200));
        await page.ClickAsync("#theme input[value=dark]");
        Assert.That(await LightAsync(page), Is.LessThan(60));
        await page.ReloadAsync();
        Assert.That(await LightAsync(page), Is.LessThan(60), "the choice is kept");
        await page.ClickAsync("#theme input[value=auto]");
        Assert.That(await LightAsync(page), Is.GreaterThan(200));

        static async Task<int> LightAsync(BrowserPage page) =>
            (await page.RunAsync("Number(/\\d+/.exec(getComputedStyle(document.body).backgroundColor)[0])")).GetInt32();
    }

    // 4.5 to 1 for text, as WCAG's level AA asks.
    [TestCase(false)]
    [TestCase(true)]
    public async Task Text_can_be_read_against_its_ground(bool isDark)
    {
        Server.Script = async (_, reply) =>
        {
            await reply.ThinkAsync("Thinking.");
            await reply.SayAsync(Everything);
        };
        var page = await OpenAsync(isDark: isDark);
        await page.SayAsync("Show all");
        await page.UntilAsync(Done);
        var faint = await page.RunAsync("""
            (() => {
              const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
              const paint = (...colours) => {
                canvas.clearRect(0, 0, 1, 1);
                for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
                return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
              };
              const light = (rgb) => rgb.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
                .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
              const found = [];
              const walker = document.createTreeWalker(document.querySelector('.app'), NodeFilter.SHOW_TEXT);
              while (walker.nextNode()) {
                const element = walker.currentNode.parentElement;
                if (!walker.currentNode.data.trim() || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
                if (element.closest('.hidden, option')) continue;
                const grounds = [];
                for (let e = element; e; e = e.parentElement) grounds.unshift(getComputedStyle(e).backgroundColor);
                const a = light(paint(...grounds)), b = light(paint(...grounds, getComputedStyle(element).color));
                const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
                if (contrast < 4.5) found.push(`${walker.currentNode.data.trim()} (${element.className || element.tagName}): ${contrast.toFixed(2)}`);
              }
              return found;
            })()
            """);
        Assert.That(faint.EnumerateArray().Select(text => text.GetString()), Is.Empty);
    }

    [Test]
    public async Task Settings_reach_the_request_and_are_kept()
    {
        var page = await OpenAsync();
        await page.ClickAsync("#composer-settings");
        await page.FillAsync("#setting-system", "Be brief.");
        await page.FillAsync("#setting-temperature", "0.5");
        await page.FillAsync("#setting-top_k", "3");
        await page.FillAsync("#setting-top_p", "7");                // out of its range: not sent
        await page.FillAsync("#setting-stop", "END\nSTOP");
        await page.FillAsync("#setting-tools", "not json");
        Assert.That((await page.RunAsync("document.getElementById('setting-top_p').getAttribute('aria-invalid')")).GetString(), Is.EqualTo("true"));
        Assert.That(await page.TextAsync("#tools-error"), Does.StartWith("Not JSON"));
        await page.ClickAsync("#settings .primary");
        await page.ReloadAsync();
        await page.UntilAsync("document.getElementById('model').value === 'demo'");
        await page.RunAsync("document.getElementById('model').value = 'other'; document.getElementById('model').dispatchEvent(new Event('change'))");
        await page.SayAsync("Hello");
        await page.UntilAsync(Done);
        var request = Server.Last;
        Assert.That(request.GetProperty("messages")[0].ToString(), Does.Contain("Be brief.").And.Contain("system"));
        Assert.That(request.GetProperty("temperature").GetDouble(), Is.EqualTo(0.5));
        Assert.That(request.GetProperty("top_k").GetInt32(), Is.EqualTo(3));
        Assert.That(request.GetProperty("stop").EnumerateArray().Select(stop => stop.GetString()), Is.EqualTo(new[] { "END", "STOP" }));
        Assert.That(request.GetProperty("model").GetString(), Is.EqualTo("other"));
        Assert.That(request.TryGetProperty("top_p", out _) || request.TryGetProperty("tools", out _), Is.False);
    }

    [Test]
    public async Task Markdown_becomes_what_it_means()
    {
        Server.Script = async (_, reply) =>
        {
            foreach (var piece in Everything.Chunk(3)) await reply.SayAsync(new string(piece));
        };
        var page = await OpenAsync();
        await page.SayAsync("Show all");
        await page.UntilAsync(Done);
        var found = await page.RunAsync("""
            (() => {
              const all = (selector) => [...document.querySelectorAll(`.markdown ${selector}`)].map((element) => element.innerText.trim());
              return { heading: all('h3'), strong: all('strong'), em: all('em'), del: all('del'), code: all('p code, li code'), link: all('a'),
                address: [...document.querySelectorAll('.markdown a')].map((a) => `${a.href} ${a.rel} ${a.target}`),
                inner: all('ol ul li'), task: all('.task'), quote: all('blockquote p, blockquote li'), cell: all('td'), end: all('td.cell-end'),
                python: all('pre code'), comment: all('.code-comment'), string: all('.code-string'), rule: all('hr').length };
            })()
            """);
        Assert.That(JsonSerializer.Serialize(found, Plain), Is.EqualTo(JsonSerializer.Serialize(new
        {
            heading = new[] { "A heading" },
            strong = new[] { "bold" },
            em = new[] { "italic" },
            del = new[] { "gone" },
            code = new[] { "code", "x < y" },
            link = new[] { "a link", "https://example.com/x" },
            address = new[] { "https://example.com/a_(b) noopener noreferrer _blank", "https://example.com/x noopener noreferrer _blank" },
            inner = new[] { "inner x < y" },
            task = new[] { "☑ done", "☐ open" },
            quote = new[] { "quoted", "list" },
            cell = new[] { "1", "2 | 3" },
            end = new[] { "2 | 3" },
            python = new[] { "def f(x):  # a comment\n    return \"text\" + 1" },
            comment = new[] { "# a comment" },
            @string = new[] { "\"text\"" },
            rule = 1,
        }, Plain)));
    }

    [TestCase("<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>")]
    [TestCase("[x](javascript:document.title='owned') ![y](javascript:document.title='owned') <javascript:alert(1)>")]
    [TestCase("```html\" onmouseover=\"document.title='owned'\n<b>\n```\n| <b>a</b> |\n|---|\n| <img src=x onerror=alert(1)> |")]
    public async Task Text_that_means_harm_stays_text(string text)
    {
        Server.Script = async (_, reply) =>
        {
            await reply.ThinkAsync(text);
            await reply.SayAsync(text);
            await reply.CallAsync(0, "call_1", text, JsonSerializer.Serialize(new { text }));
        };
        var page = await OpenAsync();
        await page.SayAsync(text);
        await page.UntilAsync("document.querySelector('.call.open')");
        var made = await page.RunAsync("document.getElementById('messages').querySelectorAll('script, img, b, a, [onerror], [onmouseover]').length");
        Assert.That(made.GetInt32(), Is.Zero);
        Assert.That((await page.RunAsync("document.title")).GetString(), Does.Not.StartWith("owned"));
    }

    [Test]
    public async Task Whatever_the_text_it_is_drawn_in_time()
    {
        var page = await OpenAsync();
        foreach (var piece in Pieces)
        {
            var text = string.Concat(Enumerable.Repeat(piece, 100_000 / piece.Length));
            var time = await page.RunAsync($$"""
                import('/page/markdown.js').then(({ MarkdownView }) => {
                  const begun = performance.now();
                  new MarkdownView().update({{JsonSerializer.Serialize(text)}});
                  return performance.now() - begun;
                })
                """);
            Assert.That(time.GetDouble(), Is.LessThan(5000), piece);
        }
    }

    private static readonly string[] Pieces =
        ["*", "[", "[](", "`a", "> ", "- ", "|", "**a *b ", "\n - ", "| - \n", " ", "_a", "~~", "<", "http://", "\\", "a|b\n-|-\n", "```\n", "> - "];

    private static readonly JsonSerializerOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
