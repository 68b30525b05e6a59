using Quilt.Formats;
using Quilt.Quantizer.Calibration;

namespace Quilt.Tests.Quantizer.Calibration;

/// <summary>Where datasets are found, and how far they are read.</summary>
public sealed class DatasetFolderTests
{
    private const string Rows = "{\"text\":\"a\"}\n{\"text\":\"b\"}\n{\"text\":\"c\"}\n";

    [TestCase("org/name/train.jsonl")]
    [TestCase("org/name/train.json")]
    [TestCase("org/name/data/train.jsonl")]
    [TestCase("org/name/default/train.jsonl")]
    [TestCase("org/name/train/whatever.jsonl")]
    [TestCase("org/name/data/train-00000-of-00001.jsonl")]
    [TestCase("org/name/data/train-00000-of-00001-0a1b2c.jsonl")]
    [TestCase("name/train.jsonl")]
    [TestCase("datasets--org--name/snapshots/0123/data/train.jsonl")]
    public void Finds_a_dataset_at(string place)
    {
        using var data = new DataFolder();
        data.Write(place, Rows);
        Assert.That(Texts(data, Entry()), Is.EqualTo(new[] { "a", "b", "c" }));
    }

    [TestCase("org/name/en/train.jsonl")]
    [TestCase("org/name/data/en/train-00000-of-00001.jsonl")]
    public void Finds_a_subset_in_its_folder_and_nowhere_else(string place)
    {
        using var data = new DataFolder();
        data.Write("org/name/train.jsonl", "{\"text\":\"wrong\"}\n");
        data.Write("org/name/train_extra-00000-of-00001.jsonl", "{\"text\":\"wrong\"}\n");
        data.Write(place, Rows);
        Assert.That(Texts(data, Entry() with { Subset = "en" }), Has.Count.EqualTo(3));
        Assert.That(Texts(data, Entry()), Is.EqualTo(new[] { "wrong" }));
    }

    [Test]
    public void Says_where_it_looked()
    {
        using var data = new DataFolder();
        Assert.That(() => Texts(data, Entry()), Throws.TypeOf<BadInputException>()
            .With.Message.Contains(Path.Combine(data.Path, "org", "name", "data"))
            .And.Message.Contains("expected data of org/name (train), found none"));
        Assert.That(() => new DatasetFolder(Path.Combine(data.Path, "no")).Find(Entry()), Throws.TypeOf<BadInputException>());
    }

    [TestCase("../up")]
    [TestCase("/etc")]
    [TestCase("a//b")]
    [TestCase("a\\b")]
    [TestCase(".")]
    [TestCase("a*")]
    [TestCase("train[:10]")]
    public void Refuses_names_that_lead_elsewhere(string name)
    {
        using var data = new DataFolder();
        Assert.That(() => Texts(data, Entry() with { Dataset = name }), Throws.TypeOf<BadInputException>().With.Message.Contains("expected names"));
        Assert.That(() => Texts(data, Entry() with { Split = name }), Throws.TypeOf<BadInputException>().With.Message.Contains("expected names"));
        Assert.That(() => Texts(data, Entry() with { Subset = name }), Throws.TypeOf<BadInputException>().With.Message.Contains("expected names"));
    }

    [Test]
    public void Goes_through_shards_in_their_order_and_no_further_than_it_must()
    {
        using var data = new DataFolder();
        data.Write("org/name/train-00001-of-00003.jsonl", "{\"text\":\"d\"}\nno JSON");
        data.Write("org/name/train-00000-of-00003.jsonl", Rows);
        Assert.That(Texts(data, Entry() with { Count = 4 }), Is.EqualTo(new[] { "a", "b", "c", "d" }));
        Assert.That(() => Texts(data, Entry()), Throws.TypeOf<BadInputException>().With.Message.Contains("00001-of-00003.jsonl: row 5"));
    }

    [TestCase("00001", "shard 0")]
    [TestCase("00000", "shard 1")]
    public void Misses_a_shard_where_it_comes_to_it(string there, string missing)
    {
        using var data = new DataFolder();
        data.Write($"org/name/train-{there}-of-00003.jsonl", Rows);
        Assert.That(() => Texts(data, Entry()), Throws.TypeOf<BadInputException>().With.Message.Contains($"expected {missing} of 00003, found none"));
    }

    [TestCase("\uFEFF{\"text\":\"a\"}\r\n\r\n  {\"text\":\"b\"}")]
    [TestCase("[{\"text\":\"a\"},\n{\"text\":\"b\"}]")]
    [TestCase(" \n [ {\"text\":\"a\"}, {\"text\":\"b\"} ] ")]
    public void Reads_lines_and_arrays(string text)
    {
        using var data = new DataFolder();
        data.Write("org/name/train.json", text);
        Assert.That(Texts(data, Entry()), Is.EqualTo(new[] { "a", "b" }));
    }

    [Test]
    public void Reads_lines_longer_than_its_buffer()
    {
        using var data = new DataFolder();
        var texts = new[] { new string('x', 200_000), "y", new string('z', 65_536 - "{\"text\":\"\"}".Length), "" };
        data.Write("org/name/train.jsonl", string.Join('\n', texts.Select(text => $"{{\"text\":\"{text}\"}}")));
        Assert.That(Texts(data, Entry()), Is.EqualTo(texts));
    }

    [Test]
    public void Reads_what_python_writes()
    {
        using var data = new DataFolder();
        data.Write("org/name/train.jsonl", "{\"text\": \"a\", \"x\": Infinity}\n");
        Assert.That(Texts(data, Entry()), Is.EqualTo(new[] { "a" }));
    }

    [TestCase("train.jsonl", "[1]\n")]
    [TestCase("train.jsonl", "{\"a\":1,\"a\":2}\n")]
    [TestCase("train.jsonl", "{\"a\":\"\\ud800\"}\n")]
    [TestCase("train.jsonl", "{\"a\":\n1}\n")]
    [TestCase("train.json", "[{\"a\":1}, 2]")]
    [TestCase("train.json", "[{\"a\":1}")]
    [TestCase("train.json", "[{\"a\":1}] x")]
    [TestCase("train.parquet", "PAR1 no")]
    [TestCase("train.parquet", "")]
    public void Refuses_damaged_files(string name, string text)
    {
        using var data = new DataFolder();
        var path = data.Write($"org/name/{name}", text);
        Assert.That(() => new DatasetFolder(data.Path).Rows(Entry(), default).ToList(),
            Throws.TypeOf<BadInputException>().With.Message.StartWith(path));
    }

    [Test]
    public void Stops_when_it_is_told_to()
    {
        using var data = new DataFolder();
        data.Write("org/name/train.jsonl", Rows);
        using var cancel = new CancellationTokenSource();
        using var rows = new DatasetFolder(data.Path).Rows(Entry(), cancel.Token).GetEnumerator();
        Assert.That(rows.MoveNext());
        cancel.Cancel();
        Assert.That(rows.MoveNext, Throws.InstanceOf<OperationCanceledException>());
    }

    private static CalibrationEntry Entry() => new("org/name", "train", null, ["text"], "raw_text", null, false, []);

    private static List<string?> Texts(DataFolder data, CalibrationEntry entry) =>
        [.. new DatasetFolder(data.Path).Rows(entry, default).Select(row => row.Values.GetProperty("text").GetString())];
}
