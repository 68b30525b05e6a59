using CsCheck;
using Quilt.Formats;
using Quilt.Quantizer.Yaml;

namespace Quilt.Tests.Quantizer.Yaml;

/// <summary>Documents, paths and limits.</summary>
public sealed class YamlNodeTests
{
    private static readonly string[] Pieces =
    [
        "a", ": ", "- ", "\n", "  ", "[", "]", "{", "}", ",", "&x ", "*x", "<<", "'", "\"", "|", ">", "!t ", "1", "#", "%", "? ", "\t", "---\n",
    ];

    [Test]
    public void A_complaint_names_file_path_line_expectation_and_finding()
    {
        var root = YamlNode.Parse("set:\n  list:\n  - a: 1\n  - a: [x]\n", "t.yaml");
        var item = root.Need("set", "a mapping").Need("list", "a list").Items()[1];
        Assert.That(() => item.Need("a", "a number").Whole(), Throws.TypeOf<BadInputException>().With.Message
            .EqualTo("t.yaml: set.list[1].a (line 4): expected a whole number, found a list"));
        Assert.That(() => item.Need("b", "a number"), Throws.TypeOf<BadInputException>().With.Message
            .EqualTo("t.yaml: set.list[1].b (line 4): expected a number, found nothing"));
        Assert.That(() => root.Text(), Throws.TypeOf<BadInputException>().With.Message
            .EqualTo("t.yaml: line 1: expected a text, found a mapping"));
    }

    [Test]
    public void Merged_entries_come_first_and_give_way_to_own_ones()
    {
        var root = YamlNode.Parse("b: &b {x: 1, q: 2}\nc: {q: 7, <<: *b, x: 5}\nd: {<<: [{x: 1, y: 1}, {x: 2, z: 3}], y: 9}", "t.yaml");
        Assert.That(Show("c"), Is.EqualTo("x=5 q=7"));
        Assert.That(Show("d"), Is.EqualTo("x=1 z=3 y=9"));

        string Show(string key) => string.Join(' ', root.Find(key)!.Entries().Select(entry => $"{entry.Key}={entry.Value.Whole()}"));
    }

    [Test]
    public void Of_a_key_that_stands_twice_the_last_value_counts()
    {
        var entries = YamlNode.Parse("a: 1\nb: 2\na: 3\n", "t.yaml").Entries();
        Assert.That(entries.Select(entry => (entry.Key, entry.Value.Whole())), Is.EqualTo(new[] { ("a", 3L), ("b", 2L) }));
    }

    [Test]
    public void A_quoted_merge_key_is_a_key() =>
        Assert.That(YamlNode.Parse("'<<': {a: 1}", "t.yaml").Find("<<")!.Find("a")!.Whole(), Is.EqualTo(1));

    [Test]
    public void Unknown_tags_are_kept_and_mean_nothing()
    {
        var node = YamlNode.Parse("device: !!python/object/apply:torch.device [cpu]", "t.yaml").Find("device")!;
        Assert.That(node.Tag, Is.EqualTo("tag:yaml.org,2002:python/object/apply:torch.device"));
        Assert.That(node.Items().Single().Text(), Is.EqualTo("cpu"));
    }

    [Test]
    public void A_key_that_is_no_text_is_none_that_is_looked_for()
    {
        var root = YamlNode.Parse("1: a\non: b\n", "t.yaml");
        Assert.That(root.Find("1"), Is.Null);
        Assert.That(root.Find("on"), Is.Null);
        Assert.That(() => root.Entries(), Throws.TypeOf<BadInputException>().With.Message
            .EqualTo("t.yaml: line 1: expected a text as key, found the number 1 on line 1"));
    }

    [TestCase("calibration_set: [unclosed\n")]
    [TestCase("a: b: c\n")]
    [TestCase("a: *nowhere\n")]
    [TestCase("&a [*a]\n")]
    [TestCase("&a {k: {l: *a}}\n")]
    [TestCase("? [a]\n: b\n")]
    [TestCase("a\n---\nb\n")]
    [TestCase("<<: 3\n")]
    [TestCase("<<: [{a: 1}, 3]\n")]
    [TestCase("a: \"unfinished\n")]
    [TestCase("%YAML 9.9\n---\na\n")]
    [TestCase("!<> a")]
    [TestCase("\"\\U00110000\"")]
    [TestCase("@a")]
    public void Refuses_what_is_no_document(string text) =>
        Assert.That(() => YamlNode.Parse(text, "t.yaml"), Throws.TypeOf<BadInputException>().With.Message.StartWith("t.yaml: "));

    [Test]
    public void Refuses_a_laughing_document()
    {
        var text = "a0: &a0 lol\n" + string.Concat(Enumerable.Range(1, 30).Select(i => $"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}]\n"));
        Assert.That(() => YamlNode.Parse(text, "t.yaml"), Throws.TypeOf<BadInputException>().With.Message.Contains("aliases"));
    }

    [TestCase("[")]
    [TestCase("{a: ")]
    [TestCase("- ")]
    [TestCase("? ")]
    [CancelAfter(20_000)]
    public void Refuses_a_pit_without_a_bottom(string step) =>
        Assert.That(() => YamlNode.Parse(string.Concat(Enumerable.Repeat(step, 100_000)), "t.yaml"), Throws.TypeOf<BadInputException>());

    [Test]
    public void Whatever_is_given_is_read_or_refused() =>
        Gen.Int[0, Pieces.Length - 1].List[0, 24].Select(list => string.Concat(list.Select(i => Pieces[i]))).Sample(text =>
            {
                try
                {
                    YamlNode.Parse(text, "t.yaml");
                }
                catch (BadInputException)
                {
                }
            });
}
