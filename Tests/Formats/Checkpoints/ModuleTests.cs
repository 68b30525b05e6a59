using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;
using Quilt.Tests.Runtime.Models;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Formats.Checkpoints;

/// <summary>What the loader puts into a weight is what the file says, for every module of every checkpoint at hand.</summary>
[Category("Conformance")]
public sealed class ModuleTests
{
    public static IEnumerable<TestCaseData> Folders() =>
        Shared.Folders("golden/checkpoints").Concat(Shared.Folders("golden/architectures")).Where(GoldenFolder.Runs)
            .Select(folder => new TestCaseData(folder).SetArgDisplayNames(Path.GetFileName(folder) ?? "none"))
            .Concat(FormatGoldenTests.Folders()).Concat(QuantizedGoldenTests.Folders());

    [TestCaseSource(nameof(Folders))]
    public void A_loaded_weight_dequantizes_to_what_the_files_say(string? folder)
    {
        using var checkpoint = Checkpoint.Open(Shared.Require(folder));
        using var device = new CpuDevice(threads: 2);
        foreach (var shape in DequantizedFolder.Modules(checkpoint))
        {
            var module = checkpoint.Module(shape.Name, shape.Rows, shape.Columns);
            using var weight = WeightLoader.Load(device, checkpoint, [module], shape.Name);
            var expected = module.Dequantize();
            var row = new float[weight.Columns];
            for (var r = 0; r < weight.Rows; r++)
            {
                weight.Dequantize(0, r, row);
                Assert.That(row.AsSpan().SequenceEqual(expected.AsSpan(r * row.Length, row.Length)), Is.True, $"{shape.Name} row {r}");
            }
        }
    }

    [Test]
    public void A_stack_holds_each_of_its_modules()
    {
        using var folder = new TinyFolder();
        using var checkpoint = Checkpoint.Open(folder.Path);
        using var device = new CpuDevice(threads: 2);
        var stack = DequantizedFolder.Modules(checkpoint).Where(shape => shape.Name.StartsWith("model.layers.1.", StringComparison.Ordinal)
            && shape.Name.EndsWith(".w1", StringComparison.Ordinal))
            .Select(shape => checkpoint.Module(shape.Name, shape.Rows, shape.Columns)).ToArray();
        Assert.That(stack, Has.Length.EqualTo(TinyMiniMax.Experts));
        using var weight = WeightLoader.Load(device, checkpoint, stack, "w1");
        var row = new float[weight.Columns];
        for (var e = 0; e < stack.Length; e++)
        {
            var expected = stack[e].Dequantize();
            for (var r = 0; r < weight.Rows; r++)
            {
                weight.Dequantize(e, r, row);
                Assert.That(row, Is.EqualTo(expected[(r * row.Length)..((r + 1) * row.Length)]), $"expert {e} row {r}");
            }
        }
    }
}
