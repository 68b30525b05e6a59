using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Quantizer.Quality;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Quantizer.Quality;

/// <summary>What models are compared on.</summary>
public sealed class QualityInputTests
{
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"quilt-quality-{Guid.NewGuid():N}");

    [OneTimeSetUp]
    public void Create() => Directory.CreateDirectory(folder);

    [OneTimeTearDown]
    public void Delete() => Directory.Delete(folder, recursive: true);

    [Test]
    public void A_text_is_cut_into_samples_that_both_models_take()
    {
        using var tiny = new TinyFolder(tokenizer: true);
        using var checkpoint = Checkpoint.Open(tiny.Path);
        var samples = QualityInput.Default().Samples(checkpoint, longest: 100);
        Assert.That(samples.SkipLast(1).Select(ids => ids.Length), Is.All.EqualTo(100));
        Assert.That(checkpoint.Tokenizer!.Decode([.. samples.SelectMany(ids => ids)]), Does.StartWith("The ferry").And.EndsWith("five minutes."));
    }

    [Test]
    public void No_more_tokens_are_taken_than_asked_for()
    {
        using var tiny = new TinyFolder(tokenizer: true);
        using var checkpoint = Checkpoint.Open(tiny.Path);
        Assert.That(QualityInput.Default(maxTokens: 250).Samples(checkpoint, longest: 100).Select(ids => ids.Length),
            Is.EqualTo(new[] { 100, 100, 50 }));
        var file = Write("""{"samples": [[1, 2, 3], [4, 5], [6]], "other": 1}""");
        Assert.That(QualityInput.FromTokens(file, maxTokens: 4).Samples(checkpoint, 100), Is.EqualTo(new int[][] { [1, 2, 3], [4] }));
    }

    [Test]
    public void A_text_needs_a_tokenizer_and_tokens_do_not()
    {
        using var tiny = new TinyFolder();
        using var checkpoint = Checkpoint.Open(tiny.Path);
        Assert.That(() => QualityInput.Default().Samples(checkpoint, 100), Complains("tokenizer.json: expected one to read the text with"));
        Assert.That(QualityInput.FromTokens([[1, 299]]).Samples(checkpoint, 100), Is.EqualTo(new int[][] { [1, 299] }));
    }

    [TestCase("""{"samples": [[1, 300]]}""", "samples[0]: expected token ids from 0 to 299, found 300")]
    [TestCase("""{"samples": [[1], []]}""", "samples[1]: expected 1 to 3 tokens, found 0")]
    [TestCase("""{"samples": [[1, 2, 3, 4]]}""", "samples[0]: expected 1 to 3 tokens, found 4")]
    [TestCase("""{"samples": []}""", "expected at least one token, found none")]
    [TestCase("""{"samples": [[1, "2"]]}""", "samples[0]: expected token ids, found \"2\" at 1")]
    [TestCase("""{"samples": [[-1]]}""", "samples[0]: expected token ids, found -1 at 0")]
    [TestCase("""{"samples": [1]}""", "samples[0]: expected a list of token ids")]
    [TestCase("""{"sample": [[1]]}""", "samples: expected a list of lists of token ids")]
    [TestCase("[[1]]", "must be a JSON object")]
    public void What_is_no_tokens_is_refused_by_name(string json, string complaint)
    {
        using var tiny = new TinyFolder();
        using var checkpoint = Checkpoint.Open(tiny.Path);
        var file = Write(json);
        Assert.That(() => QualityInput.FromTokens(file).Samples(checkpoint, longest: 3), Complains(complaint).And.Message.Contains(file));
    }

    [Test]
    public void An_empty_text_is_refused()
    {
        var file = Write("");
        Assert.That(() => QualityInput.FromText(file), Complains("expected a text, found nothing"));
    }

    private static NUnit.Framework.Constraints.Constraint Complains(string text) =>
        Throws.TypeOf<BadInputException>().With.Message.Contains(text);

    private string Write(string text)
    {
        var path = Path.Combine(folder, $"{Guid.NewGuid():N}.json");
        File.WriteAllText(path, text);
        return path;
    }
}
