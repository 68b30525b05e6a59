using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Quantizer.Calibration;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Quantizer.Calibration;

/// <summary>Sets over data and a checkpoint's tokenizer and template.</summary>
public sealed class CalibrationLoadTests
{
    // Says who speaks and what, adds something where a reply is to begin, and refuses whoever has the role bad.
    private const string Template = "{% for m in messages %}{% if m.role == 'bad' %}{{ raise_exception('no ' + m.role) }}{% endif %}"
        + "<{{ m.role }}>{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}<reply>{% endif %}";

    private TinyFolder folder = null!;
    private Checkpoint checkpoint = null!;
    private DataFolder data = null!;

    [OneTimeSetUp]
    public void Make()
    {
        folder = new TinyFolder(tokenizer: true);
        File.WriteAllText(Path.Combine(folder.Path, "chat_template.jinja"), Template);
        checkpoint = Checkpoint.Open(folder.Path);
        data = new DataFolder();
        data.Write("acme/text/train.jsonl", string.Concat(Enumerable.Range(1, 9).Select(i => $"{{\"text\":\"row {i}\"}}\n")));
        var long_ = string.Concat(Enumerable.Repeat("the word of the day is new, ", 40));
        data.Write("acme/odd/train.jsonl", $$"""{"text":""}{{'\n'}}{"text":"{{long_}}"}""");
        data.Write("acme/bad/train.jsonl", """
            {"messages":[{"role":"user","content":"x"}]}
            {"messages":[{"role":"bad","content":"x"}]}
            """);
    }

    [OneTimeTearDown]
    public void Clear()
    {
        data.Dispose();
        checkpoint.Dispose();
        folder.Dispose();
    }

    [Test]
    public void Tokens_are_those_of_the_template_without_a_prompt_in_shuffled_order()
    {
        var samples = Load("seed: 7", Entry("text", 9)).Samples;
        Assert.That(samples.Select(sample => sample.Row - 1), Is.EqualTo(NumpyRandom.Permutation(7, 9)));
        foreach (var sample in samples)
            Assert.That(sample.Ids, Is.EqualTo(checkpoint.Tokenizer!.Encode($"<user>In Go:\n<assistant>row {sample.Row}\n")));
    }

    [Test]
    public void Long_rows_are_cut_and_empty_ones_left_out()
    {
        var loaded = Load("shuffle: false, max_seq_length: 20", Entry("odd", 5));
        var sample = loaded.Samples.Single();
        Assert.That((sample.Row, sample.Ids.Length, sample.IsCut), Is.EqualTo((2, 20, true)));
        Assert.That(loaded.Warnings, Is.EqualTo(new[]
        {
            "acme/odd (train): 5 samples are asked for, 2 are there", "1 rows with nothing to say are left out",
        }));
        Assert.That(loaded.Tokens, Is.EqualTo(20));
    }

    [Test]
    public void Coverage_counts_rows_tokens_languages_and_what_was_asked_for()
    {
        var coverage = Load("max_seq_length: 100", Entry("odd", 2), Entry("text", 3)).Coverage;
        Assert.That(coverage.Datasets.Select(one => (one.Entry.Dataset, one.Rows, one.Cut)),
            Is.EqualTo(new[] { ("acme/odd", 2, 1), ("acme/text", 3, 0) }));
        Assert.That(coverage.Datasets[0].Tokens, Is.EqualTo(100));
        Assert.That(coverage.Spoken, Is.EqualTo(new Dictionary<string, int> { ["English"] = 1 }));
        Assert.That(coverage.Asked, Is.EqualTo(new Dictionary<string, int> { ["Go"] = 5 }));
    }

    [Test]
    public void A_row_that_the_template_refuses_is_named_with_its_words()
    {
        var set = Set("", "dataset: acme/bad, split: train, columns: [messages], formatter: chat_completion, num_samples: 2");
        Assert.That(() => set.Load(data.Path, checkpoint), Throws.TypeOf<BadInputException>()
            .With.Message.Contains("train.jsonl: row 2: acme/bad (train): expected messages that the chat template takes, it says: ")
            .And.Message.Contains("no bad"));
    }

    [Test]
    public void A_set_that_comes_along_takes_what_is_there()
    {
        using var own = new DataFolder();
        own.Write("acme/text/train.jsonl", "{\"text\":\"a\"}\n");
        var set = Set("", Entry("text", 1), Entry("odd", 1)) with { MayLackData = true };
        var loaded = set.Load(own.Path, checkpoint);
        Assert.That(loaded.Samples, Has.Count.EqualTo(1));
        Assert.That(loaded.Missing.Select(entry => entry.Dataset), Is.EqualTo(new[] { "acme/odd" }));
        using var nothing = new DataFolder();
        Assert.That(() => set.Load(nothing.Path, checkpoint), Throws.TypeOf<BadInputException>().With.Message.Contains("found none"));
    }

    [Test]
    public void A_set_of_ones_own_wants_all_of_its_data() =>
        Assert.That(() => Load("", Entry("text", 1), Entry("absent", 1)),
            Throws.TypeOf<BadInputException>().With.Message.Contains("acme/absent (train)"));

    [Test]
    public void Nothing_to_say_at_all_is_refused() =>
        Assert.That(() => Load("", Entry("odd", 1)), Throws.TypeOf<BadInputException>().With.Message.Contains("found none with a token"));

    [Test]
    public void Progress_is_told_and_cancelling_heard()
    {
        using var cancel = new CancellationTokenSource();
        var told = new Told(() => cancel.Cancel());
        Assert.That(() => Set("", Entry("text", 9)).Load(data.Path, checkpoint, told, cancel.Token),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(told.Last.Samples, Is.EqualTo(1));
    }

    private static string Entry(string name, int count) => $"dataset: acme/{name}, split: train, columns: [text], formatter: raw_text, "
        + $"num_samples: {count}, formatter_params: {{prefix: \"In {{{{ ['Go'][hash(row|string) % 1] }}}}:\"}}";

    private static CalibrationSet Set(string settings, params string[] entries)
    {
        var datasets = string.Join(", ", entries.Select(entry => $"{{{entry}}}"));
        return CalibrationSet.Parse($"calibration_set: {{{settings}{(settings.Length > 0 ? ", " : "")}datasets: [{datasets}]}}", "set.yaml");
    }

    private CalibrationSamples Load(string settings, params string[] entries) => Set(settings, entries).Load(data.Path, checkpoint);

    private sealed class Told(Action then) : IProgress<CalibrationProgress>
    {
        public CalibrationProgress Last { get; private set; }

        public void Report(CalibrationProgress value)
        {
            Last = value;
            then();
        }
    }
}
