using Quilt.Formats.Checkpoints;
using Quilt.Quantizer.Recipes;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Cli;

/// <summary><c>quantize</c> as a user runs it.</summary>
public sealed class QuantizeTests
{
    private string folder = "";

    [SetUp]
    public void Create() => Directory.CreateDirectory(folder = Path.Combine(Path.GetTempPath(), $"quilt-quantize-{Guid.NewGuid():N}"));

    [TearDown]
    public void Delete() => Directory.Delete(folder, recursive: true);

    [Test]
    public async Task Writes_a_folder_that_loads_and_prints_where_it_is()
    {
        using var tiny = new TinyFolder();
        var output = Path.Combine(folder, "out");
        var run = await QuiltProcess.Run(["quantize", tiny.Path, output, "--preset", "fp8-blocks", "--threads", "2"]);
        Assert.That(run.ExitCode, Is.Zero, run.Errors);
        Assert.That(run.Output.Trim(), Is.EqualTo(output));
        using var checkpoint = Checkpoint.Open(output);
        Assert.That(checkpoint.Module("model.layers.0.block_sparse_moe.experts.0.w1", 32, 64).Scheme, Does.StartWith("fp8"));
        run = await QuiltProcess.Run(["quantize", tiny.Path, output, "--preset", "fp8-blocks"]);
        Assert.That((run.ExitCode, run.Output), Is.EqualTo((1, "")));
        Assert.That(run.Complaints.Single(), Does.Contain("expected a new or empty folder"));
    }

    [Test]
    public async Task Lists_the_presets_the_model_card_s_first()
    {
        var run = await QuiltProcess.Run(["quantize", "--presets"]);
        Assert.That(run.ExitCode, Is.Zero);
        var lines = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines.Select(line => line.Split(' ')[0]), Is.EqualTo(RecipePresets.All.Select(preset => preset.Name)));
    }

    [Test]
    public async Task A_recipe_with_smoothing_asks_for_data()
    {
        using var tiny = new TinyFolder();
        var run = await QuiltProcess.Run(["quantize", tiny.Path, Path.Combine(folder, "out"), "--preset", "minimax-m2-awq"]);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Complaints.Single(), Does.Contain("--calibration or --tokens"));
        Assert.That(Directory.GetFileSystemEntries(folder), Is.Empty);
    }

    [Test]
    public async Task A_key_that_is_not_honoured_is_told_in_one_line()
    {
        using var tiny = new TinyFolder();
        var recipe = Path.Combine(folder, "recipe.yaml");
        await File.WriteAllTextAsync(recipe, """
            default_stage:
              default_modifiers:
                QuantizationModifier:
                  config_groups:
                    x:
                      targets: [Linear]
                      weights: {num_bits: 4, group_size: 32, actorder: group}
            """);
        var run = await QuiltProcess.Run(["quantize", tiny.Path, Path.Combine(folder, "out"), "--recipe", recipe]);
        Assert.That(run.ExitCode, Is.EqualTo(1));
        Assert.That(run.Complaints.Single(), Does.Contain(
            $"{recipe}: default_stage.default_modifiers.QuantizationModifier.config_groups.x.weights.actorder (line 7): expected null"));
    }

    [TestCase("quantize")]
    [TestCase("quantize", "a", "b")]
    [TestCase("quantize", "a", "b", "--preset", "none")]
    [TestCase("quantize", "a", "b", "--preset", "fp8-blocks", "--recipe", "x.yaml")]
    [TestCase("quantize", "a", "b", "--preset", "fp8-blocks", "--threads", "-1")]
    public async Task Wrong_usage_is_told_as_such(params string[] arguments)
    {
        var run = await QuiltProcess.Run(arguments);
        Assert.That(run.ExitCode, Is.EqualTo(2), run.Errors);
        Assert.That(run.Output, Is.Empty);
    }
}
