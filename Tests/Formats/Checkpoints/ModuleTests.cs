using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;

namespace Quilt.Tests.Formats.Checkpoints;

/// <summary>What the loader puts into a weight is what the file says, for every module of every checkpoint at hand.</summary>
[Category("Conformance")]
public sealed class ModuleTests
{
    public static IEnumerable<string?> Folders() => Shared.Folders("golden/checkpoints");

    [TestCaseSource(nameof(Folders))]
    public void A_loaded_weight_dequantizes_to_what_the_files_say(string? folder)
    {
        using var checkpoint = Checkpoint.Open(Shared.Require(folder));
        using var device = new CpuDevice(threads: 2);
        var c = checkpoint.Config;
        var (heads, keys) = (c.Heads * c.HeadDim, c.KeyValueHeads * c.HeadDim);
        for (var layer = 0; layer < c.Layers; layer++)
        {
            var p = $"model.layers.{layer}";
            Check([($"{p}.self_attn.q_proj", heads, c.Hidden)]);
            Check([($"{p}.self_attn.v_proj", keys, c.Hidden)]);
            Check([($"{p}.self_attn.o_proj", c.Hidden, heads)]);
            Check([($"{p}.block_sparse_moe.gate", c.Experts, c.Hidden)]);
            foreach (var w in (string[])["w1", "w2", "w3"])
            {
                var (rows, columns) = w == "w2" ? (c.Hidden, c.Intermediate) : (c.Intermediate, c.Hidden);
                Check([.. Enumerable.Range(0, c.Experts).Select(e => ($"{p}.block_sparse_moe.experts.{e}.{w}", rows, columns))]);
            }
        }
        Check([("lm_head", c.VocabularySize, c.Hidden)]);

        void Check((string Name, int Rows, int Columns)[] names)
        {
            var stack = names.Select(n => checkpoint.Module(n.Name, n.Rows, n.Columns)).ToArray();
            using var weight = WeightLoader.Load(device, checkpoint, stack, names[0].Name);
            var row = new float[weight.Columns];
            for (var e = 0; e < stack.Length; e++)
            {
                var expected = stack[e].Dequantize();
                for (var r = 0; r < weight.Rows; r++)
                {
                    weight.Dequantize(e, r, row);
                    Assert.That(row.AsSpan().SequenceEqual(expected.AsSpan(r * row.Length, row.Length)), Is.True, $"{names[e].Name} row {r}");
                }
            }
        }
    }
}
