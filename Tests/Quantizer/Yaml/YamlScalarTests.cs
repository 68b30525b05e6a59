using Quilt.Formats;
using Quilt.Quantizer.Yaml;

namespace Quilt.Tests.Quantizer.Yaml;

/// <summary>Scalars against what PyYAML 6.0.3 makes of them.</summary>
public sealed class YamlScalarTests
{
    [TestCase("yes", true)]
    [TestCase("No", false)]
    [TestCase("ON", true)]
    [TestCase("off", false)]
    [TestCase("true", true)]
    [TestCase("!!bool 'on'", true)]
    public void Reads_truth_values_by_all_their_names(string text, bool expected) => Assert.That(Root(text).Flag(), Is.EqualTo(expected));

    [TestCase("010", 8)]
    [TestCase("0x10", 16)]
    [TestCase("0b101", 5)]
    [TestCase("8_192", 8192)]
    [TestCase("1:30", 90)]
    [TestCase("-1:30", -90)]
    [TestCase("190:20:30", 685230)]
    [TestCase("-12", -12)]
    [TestCase("+7", 7)]
    [TestCase("-0", 0)]
    [TestCase("00", 0)]
    [TestCase("0_", 0)]
    [TestCase("0_7", 7)]
    [TestCase("1__2", 12)]
    [TestCase("!!int '7'", 7)]
    [TestCase("! 5", 5)]
    public void Reads_whole_numbers(string text, long expected) => Assert.That(Root(text).Whole(), Is.EqualTo(expected));

    [TestCase("1.", 1.0)]
    [TestCase(".5", 0.5)]
    [TestCase("1.0e+3", 1000.0)]
    [TestCase("+1.5", 1.5)]
    [TestCase("1:30.5", 90.5)]
    [TestCase("1_000.5", 1000.5)]
    [TestCase("-.INF", double.NegativeInfinity)]
    [TestCase(".NaN", double.NaN)]
    [TestCase("!!float 3", 3.0)]
    public void Reads_numbers_with_a_point(string text, double expected)
    {
        Assert.That(Root(text).Kind, Is.EqualTo(YamlKind.Real));
        Assert.That(Root(text).Real(), Is.EqualTo(expected));
    }

    [TestCase("y", "y")]
    [TestCase("0o10", "0o10")]
    [TestCase("08", "08")]
    [TestCase("1e3", "1e3")]
    [TestCase("1.0e3", "1.0e3")]
    [TestCase("-.5", "-.5")]
    [TestCase("nan", "nan")]
    [TestCase("1:60", "1:60")]
    [TestCase("0.14.0", "0.14.0")]
    [TestCase("'5'", "5")]
    [TestCase("\"yes\"", "yes")]
    [TestCase("!!str 5", "5")]
    [TestCase("!custom 5", "5")]
    [TestCase("|\n  a\n  b\n", "a\nb\n")]
    [TestCase(">-\n  a\n  b\n", "a b")]
    public void Leaves_texts_what_they_are(string text, string expected) => Assert.That(Root(text).Text(), Is.EqualTo(expected));

    [TestCase("")]
    [TestCase("~")]
    [TestCase("null")]
    [TestCase("!!null x")]
    [TestCase("# a comment\n")]
    public void Knows_nothing_when_it_sees_it(string text) => Assert.That(Root(text).IsNull);

    [TestCase("2001-12-14")]
    [TestCase("2001-12-14t21:59:43.10-05:00")]
    public void Does_not_take_a_date_for_a_text(string text)
    {
        Assert.That(Root(text).Kind, Is.EqualTo(YamlKind.Date));
        Assert.That(() => Root(text).Text(), Throws.TypeOf<BadInputException>().With.Message.Contains("expected a text, found the date"));
    }

    [TestCase("0x_")]
    [TestCase("0b_")]
    [TestCase("!!int x")]
    [TestCase("!!float ''")]
    [TestCase("!!bool maybe")]
    public void Refuses_what_only_looks_like_a_number(string text) =>
        Assert.That(() => Root(text), Throws.TypeOf<BadInputException>().With.Message.StartWith("t.yaml: line 1: expected"));

    private static YamlNode Root(string text) => YamlNode.Parse(text, "t.yaml");
}
