using System.Text;
using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;

namespace Quilt.Tests.Formats;

/// <summary>Settings files are read as Python's json module reads them, and what is ambiguous is refused where it is read.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class PythonJsonTests
{
    [TestCase("NaN")]
    [TestCase("Infinity")]
    [TestCase("-Infinity")]
    public void A_number_that_JSON_lacks_is_passed_over_where_nobody_reads_it(string number)
    {
        var config = Config($$"""
            {"model_type": "llama", "router_jitter_noise": {{number}}, "list": [1, {{number}}, {"a":{{number}}}], "hidden_size": 64}
            """);
        Assert.That(config.Hidden, Is.EqualTo(64));
    }

    [TestCase("NaN")]
    [TestCase("Infinity")]
    [TestCase("-Infinity")]
    public void Where_it_is_read_it_is_a_complaint_about_that_key(string number)
    {
        var config = Config($$"""{"model_type": "llama", "rms_norm_eps": {{number}}, "hidden_size": {{number}}, "hidden_act": {{number}}}""");
        Refuses(() => _ = config.NormEpsilon, "config.json", "rms_norm_eps", $"found {number}");
        Refuses(() => _ = config.Hidden, "config.json", "hidden_size", $"found {number}");
        Refuses(() => config.Only("hidden_act", "silu"), "config.json", "hidden_act", $"found {number}");
    }

    [Test]
    public void A_text_that_spells_such_a_number_stays_a_text() =>
        Assert.That(Config("""{"model_type": "llama, NaN", "a\"": [NaN,-Infinity], "NaN": "\\", "Infinity": NaN}""").ModelType,
            Is.EqualTo("llama, NaN"));

    [TestCase("1NaN")]
    [TestCase("-NaN")]
    [TestCase("NaN1")]
    [TestCase("+Infinity")]
    [TestCase("nan")]
    public void What_Python_refuses_too_is_refused(string value) => Refuses(() => Config($$"""{"model_type": "llama", "x": {{value}}}"""), "JSON");

    [Test]
    public void Half_a_surrogate_pair_is_passed_over_where_nobody_reads_it() =>
        Assert.That(Config("""{"model_type": "llama", "a": "\ud800", "\udc00\ud83d\ude00": 1, "b\\u\ud800": "\udfff x", "hidden_size": 8}""").Hidden,
            Is.EqualTo(8));

    [Test]
    public void Where_it_is_read_it_is_refused_by_its_key()
    {
        Refuses(() => Config("""{"model_type": "ll\ud800ama"}"""), "model_type", "surrogate");
        var config = Config("""{"model_type": "llama", "hidden_act": "\udc00"}""");
        Refuses(() => config.Only("hidden_act", "silu"), "hidden_act", "surrogate");
    }

    [Test]
    public void A_key_given_twice_is_refused_where_it_is_read_and_says_two_things()
    {
        var config = Config("""{"model_type": "llama", "x": 1, "x": 2, "hidden_size": 64, "hidden_size": 64, "vocab_size": 1, "vocab_size": 2}""");
        Assert.That(config.Hidden, Is.EqualTo(64));
        Refuses(() => _ = config.VocabularySize, "vocab_size", "1", "2");
    }

    [Test]
    public void Numbers_of_any_size_and_deep_nesting_are_passed_over()
    {
        var deep = new string('[', 500) + new string(']', 500);
        Assert.That(Config($$"""{"model_type": "llama", "big": {{new string('9', 400)}}, "far": 1e400, "deep": {{deep}}, "hidden_size": 1}""").Hidden,
            Is.EqualTo(1));
    }

    [Test]
    public void An_index_is_read_so_too()
    {
        var path = Path.Combine(TestContext.CurrentContext.WorkDirectory, $"{Guid.NewGuid():N}.index.json");
        File.WriteAllText(path, """
            {"metadata": {"loss": NaN, "total_size": 8}, "metadata": {"total_size": 9}, "weight_map": {"a": "x", "a": "x"}}
            """);
        var index = ShardIndex.Read(path);
        Assert.That(index.TotalSize, Is.EqualTo(9));
        Assert.That(index.WeightMap, Has.Count.EqualTo(1));
        File.Delete(path);
    }

    private static ModelConfig Config(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return ModelConfig.Parse(JsonText.ParseSettings(bytes, "config.json"), "config.json");
    }

    private static void Refuses(Action action, params string[] words)
    {
        var refused = Assert.Throws<BadInputException>(() => action())!;
        foreach (var word in words) Assert.That(refused.Message, Does.Contain(word));
    }
}
