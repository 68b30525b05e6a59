using Quilt.Formats;
using Quilt.Quantizer.Calibration;

namespace Quilt.Tests.Quantizer.Calibration;

/// <summary>Sets that are refused, and where they say so.</summary>
public sealed class CalibrationSetTests
{
    private const string Entry = "dataset: a, split: s, columns: [c], formatter: raw_text, num_samples: 1";

    [TestCase("[]", "t.yaml: line 1: expected a mapping, found an empty list")]
    [TestCase("", "t.yaml: line 1: expected a mapping, found nothing")]
    [TestCase("calibration_set:\n", "t.yaml: calibration_set (line 1): expected a calibration set, found nothing")]
    [TestCase("calibration_set: {}", "t.yaml: calibration_set.datasets (line 1): expected a list of datasets, found nothing")]
    [TestCase("calibration_set:\n  datasets: []", "t.yaml: calibration_set.datasets (line 2): expected a list of datasets, found an empty list")]
    [TestCase("calibration_set:\n  seed: -1\n  datasets: [{" + Entry + "}]",
        "t.yaml: calibration_set.seed (line 2): expected a whole number from 0 on, found the number -1")]
    [TestCase("calibration_set:\n  max_seq_length: 0\n  datasets: [{" + Entry + "}]",
        "t.yaml: calibration_set.max_seq_length (line 2): expected a whole number from 1 to 2147483647, found the number 0")]
    [TestCase("calibration_set:\n  datasets:\n  - {" + Entry + ", subset: no}",
        "t.yaml: calibration_set.datasets[0].subset (line 3): expected a text, found the truth value no")]
    [TestCase("calibration_set:\n  datasets:\n  - {dataset: a, split: s, columns: [c], formatter: raw_text, num_samples: yes}",
        "t.yaml: calibration_set.datasets[0].num_samples (line 3): expected a whole number from 1 on, or \"all\", found the truth value yes")]
    [TestCase("calibration_set:\n  datasets:\n  - {" + Entry + ", formatter_params: {prefix: \"{{ ['a', 'b, c'][hash(row|string) % 3] }}\"}}",
        "t.yaml: calibration_set.datasets[0].formatter_params.prefix (line 3): expected a list of at least 3 elements for "
        + "hash(row|string) % 3, found 2")]
    [TestCase("calibration_set:\n  datasets:\n  - {" + Entry + ", formatter_params: {prefix: \"{{ [ ] [ hash( row | string ) % 99999999999 ] }}\"}}",
        "t.yaml: calibration_set.datasets[0].formatter_params.prefix (line 3): expected a list of at least 2147483647 elements for "
        + "hash(row|string) % 2147483647, found 0")]
    public void Refuses_what_is_no_set(string yaml, string message) =>
        Assert.That(() => CalibrationSet.Parse(yaml, "t.yaml"), Throws.TypeOf<BadInputException>().With.Message.EqualTo(message));

    [TestCase("['a', \"b, ]c\",][hash(row|string) % 2]")]
    [TestCase("['a\\'', 'b'][hash(row|string) % 2]")]
    public void Takes_lists_that_are_long_enough(string choice)
    {
        var text = $"{{{{ {choice} }}}}";
        Assert.That(ListChoice.In(text).Single().Items, Has.Count.EqualTo(2));
        Assert.That(() => Parse($"'{text.Replace("'", "''", StringComparison.Ordinal)}'"), Throws.Nothing);
    }

    [TestCase("['")]
    [TestCase("[")]
    [TestCase("['a'][")]
    [TestCase("'a'")]
    [CancelAfter(20_000)]
    public void Looks_through_hostile_templates_in_time(string piece) =>
        Assert.That(() => Parse($"'{{{{ [{string.Concat(Enumerable.Repeat(piece, 10_000)).Replace("'", "''", StringComparison.Ordinal)} }}}}'"),
            Throws.Nothing);

    [Test]
    public void Refuses_what_is_neither_a_file_nor_a_set_that_comes_along() =>
        Assert.That(() => CalibrationSet.Read("no-such-set"), Throws.TypeOf<BadInputException>().With.Message.Contains("software-engineer"));

    [Test]
    public void Choices_outside_of_templates_are_text() =>
        Assert.That(() => Parse("\"['a'][hash(row|string) % 3]\""), Throws.Nothing);

    [Test]
    public void A_seed_of_nothing_is_the_default() =>
        Assert.That(CalibrationSet.Parse("calibration_set: {seed: , datasets: [{" + Entry + "}]}", "t.yaml").Seed, Is.EqualTo(42));

    [TestCase("\"all\"", "true", 256)]
    [TestCase("\"all\"", "false", null)]
    [TestCase("7", "true", 7)]
    public void All_of_a_stream_is_a_beginning_of_it(string count, string streaming, int? limit)
    {
        var entry = $"dataset: a, split: s, columns: [c], formatter: raw_text, num_samples: {count}, streaming: {streaming}";
        Assert.That(CalibrationSet.Parse($"calibration_set: {{datasets: [{{{entry}}}]}}", "t.yaml").Entries[0].Limit, Is.EqualTo(limit));
    }

    [Test]
    public void The_sets_that_come_along_are_as_they_say()
    {
        Assert.That(ReadyMadeSets.Names, Has.Member("software-engineer"));
        foreach (var name in ReadyMadeSets.Names)
        {
            var set = CalibrationSet.Read(name);
            Assert.That(set.MayLackData);
            Assert.That(set.Entries.Select(entry => (entry.Dataset, entry.Subset, entry.Split)), Is.Unique);
            Assert.That(set.Entries.Select(entry => entry.Formatter).Distinct(), Is.SubsetOf(RowMessages.Formatters));
        }
        var software = CalibrationSet.Read("software-engineer");
        Assert.That(software.Entries, Has.Count.EqualTo(50));
        Assert.That(software.Entries.Sum(entry => entry.Count), Is.EqualTo(590));
        Assert.That((software.MaxLength, software.Shuffles, software.Seed), Is.EqualTo((8192, true, 42L)));
        var choices = software.Entries.SelectMany(entry => entry.Parameters).SelectMany(p => ListChoice.In(p.Value.Text()));
        Assert.That(choices.Select(choice => (choice.Items.Count, choice.Modulus)).Distinct(), Is.EquivalentTo(new[] { (12, 12), (60, 60) }));
    }

    private static CalibrationSet Parse(string prefix) =>
        CalibrationSet.Parse($"calibration_set:\n  datasets:\n  - {{{Entry}, formatter_params: {{prefix: {prefix}}}}}", "t.yaml");
}
