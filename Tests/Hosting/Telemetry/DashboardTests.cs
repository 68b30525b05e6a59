using System.Text.Json;
using System.Text.RegularExpressions;

namespace Quilt.Tests.Hosting.Telemetry;

/// <summary>The dashboard asks for what /metrics has, and for nothing else.</summary>
public sealed partial class DashboardTests
{
    [Test]
    public async Task Every_metric_and_label_it_asks_for_is_written()
    {
        using var dashboard = JsonDocument.Parse(House.House.Read("docs/grafana-dashboard.json"));
        await using var watched = new WatchedModels();
        using var lease = await watched.Models.UseAsync(null, default);
        var page = new Exposition(watched.Scrape());
        var written = page.Samples.Keys.Select(sample => sample[..sample.IndexOf('{', StringComparison.Ordinal)]).ToHashSet();
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray().ToArray();
        Assert.That(panels, Has.Length.GreaterThan(10));
        foreach (var panel in panels)
        {
            Assert.That(panel.GetProperty("datasource").GetProperty("uid").GetString(), Is.EqualTo("${datasource}"));
            foreach (var target in panel.GetProperty("targets").EnumerateArray())
            {
                var query = target.GetProperty("expr").GetString()!;
                var names = Metric().Matches(query).Select(match => match.Value).ToArray();
                Assert.That(names, Is.Not.Empty.And.SubsetOf(written), query);
                var labels = By().Matches(query).SelectMany(match => match.Groups[1].Value.Split(','));
                Assert.That(labels.Where(label => !page.Labels.ContainsKey(label.Trim())), Is.Empty, query);
                Assert.That(query.Count(character => character == '('), Is.EqualTo(query.Count(character => character == ')')), query);
            }
        }
    }

    [Test]
    public void It_can_be_imported_anywhere()
    {
        using var dashboard = JsonDocument.Parse(House.House.Read("docs/grafana-dashboard.json"));
        var variables = dashboard.RootElement.GetProperty("templating").GetProperty("list").EnumerateArray()
            .ToDictionary(variable => variable.GetProperty("name").GetString()!, variable => variable.GetProperty("type").GetString());
        Assert.That(variables, Is.EqualTo(new Dictionary<string, string> { ["datasource"] = "datasource", ["model"] = "query" }));
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray().ToArray();
        Assert.That(panels.Select(panel => panel.GetProperty("id").GetInt32()), Is.Unique);
        foreach (var (panel, other) in panels.SelectMany((panel, i) => panels[(i + 1)..].Select(other => (panel, other))))
            Assert.That(Overlap(panel.GetProperty("gridPos"), other.GetProperty("gridPos")), Is.False, panel.GetProperty("title").GetString());
    }

    private static bool Overlap(JsonElement a, JsonElement b)
    {
        return Along("x", "w") && Along("y", "h");

        bool Along(string at, string size) => Get(a, at) < Get(b, at) + Get(b, size) && Get(b, at) < Get(a, at) + Get(a, size);

        static int Get(JsonElement position, string name) => position.GetProperty(name).GetInt32();
    }

    [GeneratedRegex(@"\b(vllm|quilt):\w+")]
    private static partial Regex Metric();

    [GeneratedRegex(@"by \(([^)]+)\)")]
    private static partial Regex By();
}
