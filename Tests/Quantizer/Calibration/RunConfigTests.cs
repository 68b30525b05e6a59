using Quilt.Formats;
using Quilt.Quantizer.Calibration;

namespace Quilt.Tests.Quantizer.Calibration;

/// <summary>Files that name what is to be done.</summary>
public sealed class RunConfigTests
{
    [TestCase("calibration_set: configs/sets/code", "")]
    [TestCase("calibration_set: sets/code.yaml", "")]
    [TestCase("", ", calibration_set: sets/code")]
    public void Names_model_recipe_and_set(string top, string inner)
    {
        using var folder = new DataFolder();
        var path = folder.Write("run.yaml", $"model: {{name: org/Model}}\nquantization: {{recipe: ./recipes/recipe_W4.yaml{inner}}}\n{top}\n");
        var config = RunConfig.Read(path);
        Assert.That(config, Is.EqualTo(new RunConfig("org/Model", "main", Path.Combine(folder.Path, "recipes", "recipe_W4.yaml"),
            Path.Combine(folder.Path, "sets", "code.yaml"))));
        Assert.That(config.DefaultOutput, Is.EqualTo("outputs/Model-W4"));
    }

    [Test]
    public void A_set_need_not_be_named()
    {
        using var folder = new DataFolder();
        var path = folder.Write("run.yaml", "model: {name: /models/m/, revision: v2}\nquantization: {recipe: /r/own.yaml}\n");
        Assert.That(RunConfig.Read(path), Is.EqualTo(new RunConfig("/models/m/", "v2", "/r/own.yaml", null)));
        Assert.That(RunConfig.Read(path).DefaultOutput, Is.EqualTo("outputs/m-own"));
    }

    [TestCase("model: {name: m}", "quantization")]
    [TestCase("quantization: {recipe: r}", "model")]
    [TestCase("model: {}\nquantization: {recipe: r}", "model.name")]
    [TestCase("model: {name: 3}\nquantization: {recipe: r}", "model.name")]
    [TestCase("model: {name: m}\nquantization: {}", "quantization.recipe")]
    public void Refuses_a_file_that_lacks_something(string yaml, string key)
    {
        using var folder = new DataFolder();
        var path = folder.Write("run.yaml", yaml);
        Assert.That(() => RunConfig.Read(path), Throws.TypeOf<BadInputException>().With.Message.StartWith($"{path}: {key} ("));
    }
}
