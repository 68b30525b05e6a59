using Quilt.Formats;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime.Models;

/// <summary>A model computes the same whatever names its experts go by, alone or fused, in every family that has experts.</summary>
[Category("Conformance")]
public sealed class RenamedModelTests
{
    public static IEnumerable<TestCaseData> Cases() =>
        from folder in Shared.Folders("golden/checkpoints").Concat(Shared.Folders("golden/architectures")).Where(GoldenFolder.Runs)
        where folder is null || HasExperts(folder)
        from style in RenamedFolder.Styles
        select new TestCaseData(folder, style).SetArgDisplayNames(Path.GetFileName(folder) ?? "none", style);

    [TestCaseSource(nameof(Cases))]
    public void Gives_the_same_logits(string? folder, string style)
    {
        using var renamed = new RenamedFolder(Shared.Require(folder), style);
        if (!renamed.Changed) Assert.Ignore("These are the names that it has, or its experts cannot be written so.");
        Assert.That(Logits(renamed.Path), Is.EqualTo(Logits(folder!)));
    }

    [Test]
    public void Two_names_of_one_tensor_are_refused()
    {
        using var folder = new TinyFolder();
        var path = Path.Combine(folder.Path, "model-00001-of-00002.safetensors");
        Add(folder.Path, path, "model.layers.0.mlp.gate.weight");
        var refused = Assert.Throws<BadInputException>(() => Logits(folder.Path))!;
        Assert.That(refused.Message, Does.Contain("model.layers.0.mlp.gate.weight").And.Contain("model.layers.0.block_sparse_moe.gate.weight"));
    }

    private static void Add(string folder, string path, string name)
    {
        using (var file = SafeTensorsFile.Open(path))
        {
            var tensors = file.Tensors.Values.Select(entry => new TensorToWrite(entry.Name, entry.Type, entry.Shape, stream =>
            {
                var bytes = new byte[entry.Length];
                file.Read(entry, bytes);
                stream.Write(bytes);
            })).ToList();
            SafeTensorsWriter.Write(path, [.. tensors, new(name, DType.F32, [1], new byte[4])]);
        }
        var index = Path.Combine(folder, ShardIndex.FileName);
        var read = ShardIndex.Read(index);
        var map = read.WeightMap.ToDictionary(entry => entry.Key, entry => entry.Value);
        map[name] = Path.GetFileName(path);
        new ShardIndex(map, read.TotalSize).Write(index);
    }

    private static float[] Logits(string folder)
    {
        var options = new EngineOptions { Threads = 2 };
        using var model = LoadedModel.Open(folder, options, null, default);
        Assert.That(model.Warnings.Where(warning => warning.Contains("taken as stored")), Is.Empty, "targets know the names too");
        return PromptRun.Trace(model, [1, 2, 3, 5, 8, 13]).Logits;
    }

    private static bool HasExperts(string folder) =>
        ShardIndex.Read(Path.Combine(folder, ShardIndex.FileName)).WeightMap.Keys.Any(name => name.Contains(".experts.", StringComparison.Ordinal));
}
