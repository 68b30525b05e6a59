using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Recipes;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Tests.Quantizer.Plan;
using Quilt.Tests.Runtime.Models;

namespace Quilt.Tests.Quantizer.Output;

/// <summary>Models of every family that runs, quantized: they load as their configs say, and hold what they held before.</summary>
[Category("Conformance")]
public sealed class FamilyTests
{
    private static readonly int[] Prompt = [1, 7, 3, 11, 5, 2, 9];

    public static IEnumerable<string?> Folders() => Shared.Folders("golden/architectures");

    [TestCaseSource(nameof(Folders))]
    public void In_eight_bits_a_row(string? folder) => Check(Shared.Require(folder),
        SourceFolder.Recipe(@"scheme: W8A16, targets: [Linear], ignore: [lm_head, 're:.*(block_sparse_moe|mlp)\.(gate|router)$']"), "int8", 0.02);

    [TestCaseSource(nameof(Folders))]
    public void In_fp8_blocks(string? folder) => Check(Shared.Require(folder), RecipePresets.Recipe("fp8-blocks"), "fp8", 0.04);

    // Of random weights int8 with a scale a row keeps about 0.7 %, E4M3, with its four significant bits, 2.6 %.
    private static void Check(string folder, Recipe recipe, string scheme, double error)
    {
        if (!Architectures.Names.Contains(ModelConfig.Read(Path.Combine(folder, ModelConfig.FileName)).ModelType))
            Assert.Ignore($"{folder}: of a family that does not run.");
        using var results = new SourceFolder();
        var result = results.Quantized(folder, recipe, "result");
        using (Checkpoint before = Checkpoint.Open(folder), after = Checkpoint.Open(result))
        {
            foreach (var module in new DecoderModules(Architectures.Describe(after.Config)).Layers.SelectMany(Linears))
            {
                var stored = after.Module(module.Name, module.Rows, module.Columns);
                Assert.That(stored.Scheme, Does.StartWith(scheme), module.Name);
                Assert.That(Distance(before.Module(module.Name, module.Rows, module.Columns).Dequantize(), stored.Dequantize()),
                    Is.InRange(1e-4, error), module.Name);
            }
            foreach (var tensor in before.Tensors.Where(tensor => after.Find(tensor.Part ?? tensor.Name)?.Type == tensor.Type))
                Assert.That(Bytes(after, after.Find(tensor.Part ?? tensor.Name)!), Is.EqualTo(Bytes(before, tensor)), tensor.Name);
            Assert.That(before.Tensors.Select(tensor => after.Find(tensor.Part ?? tensor.Name) ?? Packed(after, tensor)), Has.None.Null);
        }
        using var model = LoadedModel.Open(result, new EngineOptions { Threads = 2 }, null, default);
        Assert.That(model.Warnings, Has.None.Contains("taken as stored"));
        Assert.That(PromptRun.Trace(model, Prompt).Logits.Select(float.IsFinite), Has.All.True);
    }

    private static IEnumerable<ModuleShape> Linears(LayerModules layer) =>
        [.. layer.Attention, .. layer.Experts?.All ?? [], .. layer.Dense?.All ?? []];

    private static TensorEntry? Packed(Checkpoint checkpoint, TensorEntry weight) => checkpoint.Find($"{weight.Part ?? weight.Name}_packed");

    private static double Distance(float[] one, float[] other) =>
        Math.Sqrt(one.Zip(other, (a, b) => Math.Pow(a - b, 2)).Sum() / one.Sum(a => Math.Pow(a, 2)));

    private static byte[] Bytes(Checkpoint checkpoint, TensorEntry tensor)
    {
        var bytes = new byte[tensor.Length];
        checkpoint.Read(tensor, bytes);
        return bytes;
    }
}
