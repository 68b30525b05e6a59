using System.Text.Json;
using Quilt.Tests.Hosting.Browser;

namespace Quilt.Tests.Hosting;

/// <summary>Conversations on the page, in a browser, with a model that says what the test wrote down.</summary>
public sealed class PageConversationTests : PageFixture
{
    private const string Reply = ".message.reply:last-of-type";
    private const string Tools = """[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object"}}}]""";
    private const string Done = "document.querySelector('.message.reply:last-of-type .again')";

    [Test]
    public async Task A_reply_is_shown_while_it_comes()
    {
        var go = new TaskCompletionSource();
        Server.Script = async (_, reply) =>
        {
            await reply.SayAsync("One **bold** half");
            await go.Task;
            await reply.SayAsync(" and `the other`.");
        };
        var page = await OpenAsync();
        await page.UntilAsync("document.getElementById('model').value === 'demo'");
        await page.SayAsync("Hello there");
        await page.UntilAsync($"document.querySelector('{Reply} strong')");
        Assert.That(await page.TextAsync($"{Reply} .markdown"), Is.EqualTo("One bold half"));
        Assert.That((await page.RunAsync("document.getElementById('stop').hidden")).GetBoolean(), Is.False);
        go.SetResult();
        await page.UntilAsync(Done);
        Assert.That(await page.TextAsync($"{Reply} .markdown"), Is.EqualTo("One bold half and the other."));
        Assert.That(await page.TextAsync(".figures"), Does.StartWith("2 tokens"));
        Assert.That(await page.TextAsync("#status"), Does.Contain("One **bold** half"), "what a screen reader hears");
        Assert.That(await page.TextAsync(".conversation[aria-current]"), Is.EqualTo("Hello there"));

        Assert.That(Server.Last.GetProperty("stream").GetBoolean(), Is.True);
        Assert.That(Server.Last.GetProperty("stream_options").GetProperty("include_usage").GetBoolean(), Is.True);
        Assert.That(Server.Last.GetProperty("model").GetString(), Is.EqualTo("demo"));
        Assert.That(Server.Last.TryGetProperty("temperature", out _), Is.False);
    }

    [Test]
    public async Task Thinking_is_folded_said_once_and_goes_back_to_the_model()
    {
        Server.Script = async (_, reply) =>
        {
            await reply.ThinkAsync("Let me see. ");
            await reply.ThinkAsync("Yes.");
            await reply.SayAsync("It is so.");
        };
        var page = await OpenAsync();
        await page.SayAsync("Is it?");
        await page.UntilAsync(Done);
        Assert.That((await page.RunAsync($"document.querySelector('{Reply} details').open")).GetBoolean(), Is.False);
        Assert.That(await page.TextAsync($"{Reply} summary"), Does.StartWith("Thought"));
        await page.ClickAsync($"{Reply} summary");
        Assert.That(await page.TextAsync($"{Reply} .thinking-text"), Is.EqualTo("Let me see. Yes."));
        Assert.That(await page.TextAsync($"{Reply} .markdown"), Is.EqualTo("It is so."));

        await page.SayAsync("Really?");
        await page.UntilAsync("document.querySelectorAll('.message').length === 4 && " + Done);
        Assert.That(Roles(Server.Last), Is.EqualTo(new[] { "user", "assistant", "user" }));
        var before = Server.Last.GetProperty("messages")[1];
        Assert.That(before.GetProperty("reasoning_content").GetString(), Is.EqualTo("Let me see. Yes."));
        Assert.That(before.GetProperty("content").GetString(), Is.EqualTo("It is so."));
    }

    [Test]
    public async Task A_tool_is_called_and_its_result_goes_on()
    {
        Server.Script = async (request, reply) =>
        {
            if (Roles(request)[^1] == "tool")
            {
                await reply.SayAsync("19 degrees.");
                return;
            }
            await reply.ThinkAsync("I must ask.");
            await reply.CallAsync(0, "call_a", "get_weather", """{"city": "Lisbon"}""");
            await reply.CallAsync(1, "call_b", "get_weather", """{"city": "Porto"}""");
        };
        var page = await OpenAsync();
        await page.ClickAsync("#open-settings");
        await page.FillAsync("#setting-tools", Tools);
        Assert.That(await page.TextAsync("#tools-error"), Is.EqualTo("get_weather"));
        await page.PressAsync("Escape");
        await page.SayAsync("How warm is it?");
        await page.UntilAsync("document.querySelectorAll('.call.open textarea').length === 2");
        Assert.That(await page.TextAsync(".call-name"), Is.EqualTo("get_weather"));
        Assert.That(JsonDocument.Parse(await page.TextAsync(".call-arguments")).RootElement.GetProperty("city").GetString(), Is.EqualTo("Lisbon"));
        Assert.That(Server.Last.GetProperty("tools")[0].GetProperty("function").GetProperty("name").GetString(), Is.EqualTo("get_weather"));

        await page.FillAsync(".call.open textarea", "19");
        await page.ClickAsync(".call.open .primary");
        await page.UntilAsync("document.querySelectorAll('.call.open').length === 1");
        Assert.That(Server.Requests, Has.Count.EqualTo(1), "the model waits for both");
        await page.FillAsync(".call.open textarea", "17");
        await page.ClickAsync(".call.open .primary");
        await page.UntilAsync($"document.querySelector('{Reply} .markdown').innerText === '19 degrees.' && {Done}");

        Assert.That(Roles(Server.Last), Is.EqualTo(new[] { "user", "assistant", "tool", "tool" }));
        var messages = Server.Last.GetProperty("messages");
        Assert.That(messages[1].GetProperty("reasoning_content").GetString(), Is.EqualTo("I must ask."));
        var function = messages[1].GetProperty("tool_calls")[0].GetProperty("function");
        Assert.That(function.GetProperty("arguments").GetString(), Is.EqualTo("""{"city": "Lisbon"}"""));
        Assert.That(messages[2].GetProperty("tool_call_id").GetString(), Is.EqualTo("call_a"));
        Assert.That(messages[3].GetProperty("content").GetString(), Is.EqualTo("17"));
        Assert.That(await page.TextAsync(".call-result"), Is.EqualTo("19"));
    }

    [Test]
    public async Task Stop_keeps_what_came_and_tells_the_server()
    {
        Server.Script = EndlessAsync;
        var page = await OpenAsync();
        await page.SayAsync("Go on for ever");
        await page.UntilAsync($"document.querySelector('{Reply} .markdown').innerText.length > 10");
        await page.ClickAsync("#stop");
        await page.UntilAsync(Done);
        Assert.That(await page.TextAsync($"{Reply} .ended"), Is.EqualTo("Stopped."));
        Assert.That(await page.TextAsync($"{Reply} .markdown"), Does.StartWith("word"));
        for (var i = 0; Server.Aborted == 0 && i < 500; i++) await Task.Delay(10);
        Assert.That(Server.Aborted, Is.EqualTo(1));
        Assert.That((await page.RunAsync("document.activeElement.id")).GetString(), Is.EqualTo("prompt"), "the focus is not lost with the button");
    }

    [Test]
    public async Task Regenerate_asks_again_with_what_led_to_the_reply()
    {
        var count = 0;
        Server.Script = (_, reply) => reply.SayAsync($"Answer {Interlocked.Increment(ref count)}");
        var page = await OpenAsync();
        await page.SayAsync("Ask");
        await page.UntilAsync(Done);
        await page.ClickAsync($"{Reply} .again");
        await page.UntilAsync($"document.querySelector('{Reply} .markdown').innerText === 'Answer 2' && {Done}");
        Assert.That(Roles(Server.Last), Is.EqualTo(new[] { "user" }));
        Assert.That((await page.RunAsync("document.querySelectorAll('.message').length")).GetInt32(), Is.EqualTo(2));
    }

    [Test]
    public async Task An_edited_message_takes_the_place_of_what_followed()
    {
        Server.Script = (request, reply) => reply.SayAsync($"You said {Said(request)}");
        var page = await OpenAsync();
        await page.SayAsync("first");
        await page.UntilAsync(Done);
        await page.SayAsync("second");
        await page.UntilAsync($"document.querySelector('{Reply} .markdown').innerText === 'You said second' && {Done}");
        await page.ClickAsync(".message.user .icon-button");
        await page.FillAsync(".edit textarea", "other");
        await page.PressAsync("Enter");
        await page.UntilAsync($"document.querySelector('{Reply} .markdown').innerText === 'You said other' && {Done}");
        Assert.That((await page.RunAsync("document.querySelectorAll('.message').length")).GetInt32(), Is.EqualTo(2));
        Assert.That(Roles(Server.Last), Is.EqualTo(new[] { "user" }));
    }

    [Test]
    public async Task A_reload_keeps_the_conversation()
    {
        Server.Script = async (_, reply) =>
        {
            await reply.ThinkAsync("Hm.");
            await reply.SayAsync("Kept.");
        };
        var page = await OpenAsync();
        await page.SayAsync("Keep this");
        await page.UntilAsync(Done);
        await page.UntilAsync("location.hash.length > 1");
        await page.ReloadAsync();
        await page.UntilAsync(Done);
        Assert.That(await page.TextAsync(".said"), Is.EqualTo("Keep this"));
        Assert.That(await page.TextAsync($"{Reply} .markdown"), Is.EqualTo("Kept."));
        await page.SayAsync("And on");
        await page.UntilAsync("document.querySelectorAll('.message').length === 4 && " + Done);
        Assert.That(Server.Last.GetProperty("messages")[1].GetProperty("reasoning_content").GetString(), Is.EqualTo("Hm."));

        await page.ClickAsync("#new-chat");
        await page.UntilAsync("document.querySelector('.welcome')");
        await page.ClickAsync(".conversation");
        await page.UntilAsync("document.querySelectorAll('.message').length === 4");
    }

    [Test]
    public async Task Two_tabs_destroy_nothing_of_each_other()
    {
        var go = new TaskCompletionSource();
        Server.Script = async (request, reply) =>
        {
            if (Said(request) == "one end") await go.Task;
            await reply.SayAsync($"Reply to {Said(request)}");
        };
        var first = await OpenAsync();
        await first.SayAsync("from the first");
        await first.UntilAsync(Done);
        await first.UntilAsync("location.hash.length > 1");
        var hash = (await first.RunAsync("location.hash")).GetString()!;

        // A conversation of its own, beside.
        var second = await OpenBesideAsync(first);
        await second.UntilAsync("document.querySelectorAll('.conversation').length === 1");
        await second.SayAsync("from the second");
        await second.UntilAsync(Done);
        await first.UntilAsync("document.querySelectorAll('.conversation').length === 2");

        // The same conversation in both: what one adds the other shows, ...
        var third = await OpenBesideAsync(first, hash);
        await third.UntilAsync(Done);
        await third.SayAsync("more");
        await first.UntilAsync("document.querySelectorAll('.figures').length === 2");        // the whole reply: its figures come last

        // ... and where both add at once, both are kept: the second adds while the first still waits for its reply.
        await first.SayAsync("one end");
        await third.UntilAsync("document.querySelectorAll('.message').length === 6");
        await third.SayAsync("other end");
        await third.UntilAsync("document.querySelectorAll('.message').length === 8 && " + Done);
        go.SetResult();
        await first.UntilAsync("document.querySelectorAll('.message').length === 6 && " + Done);
        await second.UntilAsync("document.querySelectorAll('.conversation').length === 3");
        var kept = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            await second.ClickAsync($"li:nth-of-type({i + 1}) .conversation");
            await second.UntilAsync($"document.querySelector('li:nth-of-type({i + 1}) .conversation[aria-current]')");
            kept.Add(await second.TextAsync("#messages"));
        }
        Assert.That(kept, Has.One.Contains("Reply to from the second"));
        Assert.That(kept, Has.One.Contains("Reply to one end"));
        Assert.That(kept, Has.One.Contains("Reply to other end"));
        Assert.That(kept, Has.Exactly(2).Contains("Reply to more"));
    }

    [Test]
    public async Task What_was_deleted_can_be_had_again()
    {
        var page = await OpenAsync();
        await page.SayAsync("Dear to me");
        await page.UntilAsync(Done);
        await page.UntilAsync("document.querySelector('.conversations .icon-button')");
        await page.ClickAsync(".conversations .icon-button");
        await page.UntilAsync("document.querySelectorAll('.conversation').length === 0 && document.querySelector('.welcome')");
        await page.ClickAsync(".toast button");
        await page.UntilAsync("document.querySelectorAll('.conversation').length === 1");
        await page.ClickAsync(".conversation");
        await page.UntilAsync("document.querySelectorAll('.message').length === 2");
    }

    [Test]
    public async Task Old_conversations_go_when_there_are_too_many()
    {
        var page = await OpenAsync();
        await page.RunAsync("""
            import('/page/store.js').then(async (store) => {
              await store.open();
              for (let i = 0; i < 205; i++) {
                await store.put({ id: `old${i}`, title: `Old ${i}`, updated: 1000 + i, revision: 0, messages: [] });
              }
            })
            """);
        await page.ReloadAsync();
        await page.UntilAsync("document.querySelectorAll('.conversation').length === 200");
        Assert.That(await page.TextAsync(".conversation"), Is.EqualTo("Old 204"));
    }

    private static async Task EndlessAsync(JsonElement request, StreamedReply reply)
    {
        while (true)
        {
            await reply.SayAsync("word ");
            await Task.Delay(15, reply.Gone);
        }
    }

    private static string[] Roles(JsonElement request) =>
        [.. request.GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("role").GetString()!)];

    private static string Said(JsonElement request) => request.GetProperty("messages").EnumerateArray().Last().GetProperty("content").GetString()!;
}
