using Quilt.Tests.Hosting.Browser;

namespace Quilt.Tests.Hosting;

/// <summary>The page's Cluster tab, before a server that says it belongs to one.</summary>
public sealed class PageClusterTests : PageFixture
{
    [Test]
    public async Task A_server_of_its_own_has_no_tab_for_a_cluster()
    {
        var page = await OpenAsync();
        await page.UntilAsync("document.getElementById('model').value === 'demo'");
        Assert.That((await page.RunAsync("document.getElementById('tab-cluster').hidden")).GetBoolean());
    }

    [Test]
    public async Task The_cluster_tab_shows_what_every_replica_does()
    {
        await using var server = await ScriptedServer.StartAsync(isCluster: true);
        server.Cluster = Status(running: 3, tokens: 1000, state: "ready");
        var page = await Chromium.OpenAsync(server.Address);
        await page.UntilAsync("!document.getElementById('tab-cluster').hidden");
        await page.ClickAsync("#tab-cluster");
        await page.UntilAsync("document.querySelectorAll('.nodes tbody tr').length === 2");
        Assert.That(await page.TextAsync("#panel-cluster .model-state"), Is.EqualTo("2 replicas in lab, chosen by prefix"));
        Assert.That(await page.TextAsync(".nodes tbody th"), Is.EqualTo("a (this one)"));
        Assert.That((await page.RunAsync("document.querySelectorAll('.nodes tbody tr')[1].cells[3].innerText")).GetString(), Is.EqualTo("3"));

        // What was generated between two looks is a rate; a process that is gone is marked.
        server.Cluster = Status(running: 4, tokens: 9000, state: "lost");
        await page.UntilAsync("parseFloat(document.querySelectorAll('.nodes tbody tr')[1].cells[5].innerText.replace(',', '')) > 0");
        Assert.That((await page.RunAsync("document.querySelectorAll('.nodes tr[data-state=lost]').length")).GetInt32(), Is.EqualTo(1));
        Assert.That(page.Complaints, Is.Empty);
        await page.CloseAsync();
    }

    private static string Status(int running, int tokens, string state) => $$"""
        {"cluster":"lab","node":"a","policy":"prefix","replicas":[{{Replica("b", state, running, tokens)}},{{Replica("a", "ready", 0, 5)}}]}
        """;

    private static string Replica(string node, string state, int running, int tokens) => $$"""
        {"node":"{{node}}","model":"demo","state":"{{state}}","role":"both","running":{{running}},"waiting":0,"blocks":100,"blocks_used":10,
         "blocks_cached":50,"known_blocks":50,"hit_rate":0.25,"generated_tokens":{{tokens}},"silo":"127.0.0.1:1","url":null}
        """;
}
