using Quilt.Cluster.Simulation;
using Quilt.Formats;

namespace Quilt.Tests.Cluster.Simulation;

/// <summary>Traces: made, written, read, refused.</summary>
public sealed class TraceTests
{
    private const string Good = """{"id":"a","at":0.5,"prompt":[["p",3]],"reply":["r",2]}""";

    [TestCaseSource(typeof(TraceGenerator), nameof(TraceGenerator.Kinds))]
    public void What_is_written_is_read_and_the_seed_decides(string kind)
    {
        var written = Written(kind, seed: 7);
        Assert.That(written, Is.EqualTo(Written(kind, seed: 7)));
        Assert.That(written, Is.Not.EqualTo(Written(kind, seed: 8)));
        var read = TraceFile.Read(new StringReader(written), "trace");
        Assert.That(read, Has.Count.EqualTo(200));
        using var again = new StringWriter();
        TraceFile.Write(read, again);
        Assert.That(again.ToString(), Is.EqualTo(written));
    }

    [Test]
    public void Requests_come_at_the_rate_that_was_asked_for()
    {
        var last = new TraceGenerator(10_000, seed: 1).Generate("mix", 20_000).Last(request => request.After is null);
        Assert.That(20_000 / last.At, Is.EqualTo(10_000).Within(10).Percent);
    }

    [Test]
    public void Equal_contents_have_equal_tokens_and_texts_begin_alike()
    {
        var (a, b) = (new List<int>(), new List<int>());
        TraceContent.Fill(new("1", [new("system", 40), new("x", 5)], new("r", 1)), a);
        TraceContent.Fill(new("2", [new("system", 30), new("y", 5)], new("r", 1)), b);
        Assert.That(b[..30], Is.EqualTo(a[..30]));
        Assert.That(b[30..], Is.Not.EqualTo(a[30..35]));
        Assert.That(TraceContent.Text(b)[..120], Is.EqualTo(TraceContent.Text(a)[..120]));
    }

    [TestCase("""{"id":"b","prompt":[["p",3]]}""", "trace: line 2: reply: expected [content, tokens], found nothing")]
    [TestCase("""{"id":"b","prompt":[],"reply":["r",2]}""", "trace: line 2: prompt: expected a list of [content, tokens], found none")]
    [TestCase("""{"id":"b","prompt":[["p",0]],"reply":["r",2]}""",
        "trace: line 2: prompt[0]: expected [content, 1 to 16777216 tokens], found [\"p\",0]")]
    [TestCase("""{"id":"a","prompt":[["p",3]],"reply":["r",2]}""", "trace: line 2: id: expected an id of its own, found 'a' again")]
    [TestCase("""{"id":"b","after":"c","prompt":[["p",3]],"reply":["r",2]}""", "trace: line 2: after: expected the id of a line before, found 'c'")]
    [TestCase("""{"id":"b","at":-1,"prompt":[["p",3]],"reply":["r",2]}""", "trace: line 2: at: expected seconds from 0 to 1e9, found -1")]
    [TestCase("""{"id":"b","when":1,"prompt":[["p",3]],"reply":["r",2]}""", "trace: line 2: when: expected id, at, after,")]
    [TestCase("[]", "trace: line 2: expected a JSON object, found []")]
    [TestCase("{", "trace: line 2: expected JSON: ")]
    public void A_line_that_is_none_is_told_by_its_number_and_key(string line, string message) =>
        Assert.That(() => TraceFile.Read(new StringReader($"{Good}\n{line}\n"), "trace"),
            Throws.TypeOf<BadInputException>().With.Message.StartsWith(message));

    private static string Written(string kind, int seed)
    {
        using var text = new StringWriter();
        TraceFile.Write(new TraceGenerator(20, seed).Generate(kind, 200), text);
        return text.ToString();
    }
}
