using System.Globalization;
using System.Text;

namespace Quilt.Tests.Hosting.Telemetry;

/// <summary>A reader of Prometheus' text format that is as strict as its definition: what it takes, a scraper takes.</summary>
internal sealed class Exposition
{
    private readonly Dictionary<string, double> samples = new(StringComparer.Ordinal);

    public Exposition(string text)
    {
        Assert.That(text, Does.EndWith("\n"));
        var (family, help) = ("", "");
        foreach (var line in text[..^1].Split('\n'))
        {
            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
            {
                help = line.Split(' ')[2];
                Assert.That(line.Length, Is.GreaterThan("# HELP ".Length + help.Length + 1), line);
            }
            else if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                var parts = line.Split(' ');
                Assert.That(parts, Has.Length.EqualTo(4), line);
                Assert.That(parts[2], Is.EqualTo(help), "HELP and TYPE stand together");
                Assert.That(parts[3], Is.AnyOf("gauge", "counter", "histogram"), line);
                Assert.That(Types.TryAdd(family = parts[2], parts[3]), Is.True, $"{family} comes once");
            }
            else
            {
                Sample(line, family);
            }
        }
    }

    /// <summary>Families by name, with their types.</summary>
    public Dictionary<string, string> Types { get; } = new(StringComparer.Ordinal);

    /// <summary>All samples by name and labels, the labels in the order in which they came.</summary>
    public IReadOnlyDictionary<string, double> Samples => samples;

    /// <summary>Values of the labels that occur, by the labels' names.</summary>
    public Dictionary<string, SortedSet<string>> Labels { get; } = new(StringComparer.Ordinal);

    public double this[string sample] => samples.TryGetValue(sample, out var value) ? value : throw new KeyNotFoundException(sample);

    private void Sample(string line, string family)
    {
        var brace = line.IndexOf('{', StringComparison.Ordinal);
        Assert.That(brace, Is.GreaterThan(0), line);
        var name = line[..brace];
        string[] endings = Types[family] == "histogram" ? ["_bucket", "_sum", "_count"] : [""];
        Assert.That(endings.Select(ending => family + ending), Has.Member(name), "a sample belongs to the family above it");
        Assert.That(name.All(character => char.IsAsciiLetterOrDigit(character) || character is '_' or ':'), Is.True, name);
        var end = Labelled(line, brace + 1);
        Assert.That(line[end], Is.EqualTo(' '), line);
        var value = double.Parse(line[(end + 1)..].Replace("+Inf", "∞", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        Assert.That(samples.TryAdd(line[..end], value), Is.True, $"{line[..end]} comes once");
    }

    // name="value",…} where a value escapes \, " and the end of a line.
    private int Labelled(string line, int at)
    {
        while (true)
        {
            var equals = line.IndexOf('=', at);
            var name = line[at..equals];
            Assert.That(name.All(character => char.IsAsciiLetterLower(character) || character == '_'), Is.True, line);
            Assert.That(line[equals + 1], Is.EqualTo('"'), line);
            var value = new StringBuilder();
            for (at = equals + 2; line[at] != '"'; at++)
            {
                if (line[at] != '\\')
                {
                    value.Append(line[at]);
                    continue;
                }
                at++;
                Assert.That(line[at], Is.AnyOf('\\', '"', 'n'), line);
                value.Append(line[at] == 'n' ? '\n' : line[at]);
            }
            if (!Labels.TryGetValue(name, out var values)) Labels[name] = values = new(StringComparer.Ordinal);
            values.Add(value.ToString());
            if (line[at + 1] == '}') return at + 2;
            Assert.That(line[at + 1], Is.EqualTo(','), line);
            at += 2;
        }
    }
}
