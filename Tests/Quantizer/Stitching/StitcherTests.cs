using System.Text.Json.Nodes;
using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Stitching;
using Quilt.Quantizer.Verifying;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Quantizer.Stitching;

/// <summary>What is stitched beside tensors, what is refused, and what is left behind when it is.</summary>
public sealed class StitcherTests
{
    private const string Layer = "model.layers.1";
    private const string Expert = Layer + ".block_sparse_moe.experts.2";

    /// <summary>What is wrong with which of the two folders, and what is said of it.</summary>
    public static IEnumerable<TestCaseData> Refused()
    {
        yield return Awq("an expert is missing", edit => Remove(edit, $"{Expert}.w2"), $"{Expert}.w2.weight_packed: expected this tensor");
        yield return Awq("an expert is not quantized", edit =>
        {
            Remove(edit, $"{Expert}.w2");
            edit.Add($"{Expert}.w2.weight", DType.BF16, [128, 64], new byte[128 * 64 * 2]);
        }, $"expected the expert as packed integers, found {Expert}.w2.weight as BF16");
        yield return Awq("the smoothed norm is missing", edit => edit.Remove($"{Layer}.post_attention_layernorm.weight"),
            "post_attention_layernorm.weight: expected this tensor");
        yield return Awq("the norm is another layer's", edit =>
            edit["model.layers.0.post_attention_layernorm.weight"].CopyTo(edit[$"{Layer}.post_attention_layernorm.weight"].AsSpan()),
            "expected the norm that goes with the experts' w1");
        yield return Awq("the norm changes its sign", edit => edit.Values<ushort>($"{Layer}.post_attention_layernorm.weight")[7] ^= 0x8000,
            "expected the official norm divided by positive numbers");
        yield return Awq("other norms are another model's", edit => edit.Values<ushort>($"{Layer}.input_layernorm.weight")[3]++,
            "input_layernorm.weight: expected the official values");
        yield return Awq("experts are another model's", edit =>
        {
            for (var e = 0; e < SmoothedPair.Experts; e++)
                edit.Swap($"{Layer}.block_sparse_moe.experts.{e}.w1", $"{Layer}.block_sparse_moe.experts.{e}.w3");
        }, "the experts are another model's");
        yield return Awq("an expert has two scales", edit => edit.Add($"{Expert}.w1.weight", DType.BF16, [64, 128], new byte[64 * 128 * 2]),
            "stands beside");
        yield return Awq("a shape is another", edit => edit.Values<long>($"{Expert}.w1.weight_shape")[0]++,
            $"{Expert}.w1.weight_shape: expected [64, 128]");
        yield return Official("a scale has both names", edit => edit.Add($"{Layer}.self_attn.q_proj.weight_scale", DType.F32, [1, 1], new byte[4]),
            "stands beside");
        yield return Official("attention is not FP8", edit =>
        {
            Remove(edit, $"{Layer}.self_attn.q_proj");
            edit.Add($"{Layer}.self_attn.q_proj.weight", DType.BF16, [128, 128], new byte[128 * 128 * 2]);
        }, "expected FP8 in blocks");
        yield return Official("a router is missing", edit => edit.Remove($"{Layer}.block_sparse_moe.gate.weight"), "block_sparse_moe.gate");
        yield return Config("official", "another family", config => config["model_type"] = "mixtral", "expected \"minimax_m2\"");
        yield return Config("awq", "fewer layers", config => config["num_hidden_layers"] = 1, "num_hidden_layers: expected 2");
        yield return Config("awq", "other heads", config => config["num_attention_heads"] = 8, "num_attention_heads: expected 4");
        yield return Config("official", "no fp8 config", config => config.Remove("quantization_config"),
            "quantization_config: expected \"quant_method\": \"fp8\"");
    }

    [TestCaseSource(nameof(Refused))]
    public void Refuses_pairs_that_do_not_fit_and_leaves_nothing(Action<string> damage, string words)
    {
        using var work = new TemporaryFolder();
        SmoothedPair.Write(work.Path);
        damage(work.Path);
        var refused = Assert.Throws<BadInputException>(() => Stitcher.Run(work.Below("official"), work.Below("awq"), work.Below("out"), false));
        Assert.That(refused!.Message, Does.Contain(words));
        Assert.That(work.Names, Is.EqualTo(new[] { "awq", "official" }));
    }

    [Test]
    public void Copies_what_is_no_weight_and_counts_shards_as_they_are()
    {
        using var work = new TemporaryFolder();
        SmoothedPair.Write(work.Path);
        Stitcher.Run(work.Below("official"), work.Below("awq"), work.Below("out"), false);
        Assert.That(Directory.GetFiles(work.Below("out")).Select(Path.GetFileName).Order(StringComparer.Ordinal), Is.EqualTo(new[]
        {
            "chat_template.jinja", "config.json", "generation_config.json", "model-00000-of-00125.safetensors", "model-00001-of-00125.safetensors",
            "model.safetensors.index.json",
        }));
    }

    [TestCase(4, 32, "group")]
    [TestCase(8, 32, "group")]
    [TestCase(8, 1024, "channel")]
    public void Says_in_the_config_how_experts_are_stored(int bits, int group, string strategy)
    {
        using var work = new TemporaryFolder();
        SmoothedPair.Write(work.Path, bits: bits, group: group);
        FolderEdit.Config(work.Below("awq"), config => config.Remove("quantization_config"));
        Stitcher.Run(work.Below("official"), work.Below("awq"), work.Below("out"), true);
        var weights = JsonNode.Parse(File.ReadAllText(Path.Combine(work.Below("out"), "config.json")))!["quantization_config"]!["config_groups"]!
            ["group_1"]!["weights"]!;
        Assert.That(((int)weights["num_bits"]!, (string)weights["strategy"]!, (int?)weights["group_size"], (bool)weights["symmetric"]!),
            Is.EqualTo((bits, strategy, strategy == "group" ? group : (int?)null, true)));
        Assert.That(Verifier.Run(work.Below("out"), work.Below("official")).Where(result => result.Status != CheckStatus.Ok), Is.Empty);
    }

    [Test]
    public void Warns_of_routers_that_are_not_compensated()
    {
        using var work = new TemporaryFolder();
        SmoothedPair.Write(work.Path);
        var plain = Stitcher.Run(work.Below("official"), work.Below("awq"), work.Below("plain"), false);
        var repaired = Stitcher.Run(work.Below("official"), work.Below("awq"), work.Below("repaired"), true);
        Assert.That(plain.Warnings, Has.Some.Contains("--repair-router"));
        Assert.That(repaired.Warnings, Is.Empty);
    }

    [Test]
    public void Warns_of_experts_that_were_not_smoothed()
    {
        using var work = new TemporaryFolder();
        SmoothedPair.Write(work.Path, smooth: false);
        var result = Stitcher.Run(work.Below("official"), work.Below("awq"), work.Below("out"), false);
        Assert.That(result.Warnings, Has.Some.Contains("quantized without smoothing"));
    }

    [Test]
    public void Warns_of_a_norm_whose_ratio_has_its_middle_elsewhere()
    {
        using var work = new TemporaryFolder();
        SmoothedPair.Write(work.Path);
        FolderEdit.Of(work.Below("awq"), edit =>
        {
            foreach (ref var gain in edit.Values<BFloat16>($"{Layer}.post_attention_layernorm.weight")) gain = (BFloat16)((float)gain / 4);
            for (var e = 0; e < SmoothedPair.Experts; e++)
            {
                foreach (ref var scale in edit.Values<BFloat16>($"{Layer}.block_sparse_moe.experts.{e}.w1.weight_scale"))
                    scale = (BFloat16)((float)scale * 4);
            }
        });
        var result = Stitcher.Run(work.Below("official"), work.Below("awq"), work.Below("out"), true);
        Assert.That(result.Warnings, Has.Some.Matches(@"has its middle, sqrt\(max \* min\), at (4|3\.99\d*);"));
    }

    [Test]
    public void Leaves_out_layers_behind_the_last()
    {
        using var work = new TemporaryFolder();
        SmoothedPair.Write(work.Path);
        FolderEdit.Of(work.Below("official"), edit => edit.Add("model.layers.2.input_layernorm.weight", DType.BF16, [128], new byte[256]));
        var result = Stitcher.Run(work.Below("official"), work.Below("awq"), work.Below("out"), true);
        using var checkpoint = Checkpoint.Open(work.Below("out"));
        Assert.That(checkpoint.Tensors.Select(tensor => tensor.Name), Has.None.StartsWith("model.layers.2."));
        Assert.That(result.Warnings, Has.Some.Contains("behind the 2 of the model"));
    }

    [Test]
    public void Takes_experts_under_the_names_of_other_tools()
    {
        using var work = new TemporaryFolder();
        SmoothedPair.Write(work.Path);
        Stitcher.Run(work.Below("official"), work.Below("awq"), work.Below("wanted"), true);
        FolderEdit.Of(work.Below("awq"), edit => edit.Rename(name => name.Replace(".w1.", ".gate_proj.", StringComparison.Ordinal)
            .Replace(".w2.", ".down_proj.", StringComparison.Ordinal).Replace(".w3.", ".up_proj.", StringComparison.Ordinal)));
        FolderEdit.Config(work.Below("awq"), config => config.Remove("quantization_config"));
        Stitcher.Run(work.Below("official"), work.Below("awq"), work.Below("out"), true);
        foreach (var file in Directory.GetFiles(work.Below("wanted")))
            Assert.That(File.ReadAllBytes(Path.Combine(work.Below("out"), Path.GetFileName(file))), Is.EqualTo(File.ReadAllBytes(file)), file);
    }

    [Test]
    public void Refuses_a_folder_that_has_something_in_it()
    {
        using var work = new TemporaryFolder();
        SmoothedPair.Write(work.Path);
        Assert.That(() => Stitcher.Run(work.Below("official"), work.Below("awq"), work.Below("awq"), false),
            Throws.TypeOf<BadInputException>().With.Message.Contains("expected a new or empty folder"));
    }

    [Test]
    public void Cancelled_between_tensors_it_leaves_nothing()
    {
        using var work = new TemporaryFolder();
        SmoothedPair.Write(work.Path);
        using var source = new CancellationTokenSource();
        var seen = 0;
        var progress = new Immediate(_ =>
        {
            if (++seen == 10) source.Cancel();
        });
        Assert.That(() => Stitcher.Run(work.Below("official"), work.Below("awq"), work.Below("out"), false, progress, source.Token),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(seen, Is.EqualTo(10));
        Assert.That(work.Names, Is.EqualTo(new[] { "awq", "official" }));
    }

    private static TestCaseData Awq(string name, Action<FolderEdit> change, string words) =>
        Case(name, folder => FolderEdit.Of(Path.Combine(folder, "awq"), change), words);

    private static TestCaseData Official(string name, Action<FolderEdit> change, string words) =>
        Case(name, folder => FolderEdit.Of(Path.Combine(folder, "official"), change), words);

    private static TestCaseData Config(string side, string name, Action<JsonObject> change, string words) =>
        Case(name, folder => FolderEdit.Config(Path.Combine(folder, side), change), words);

    private static TestCaseData Case(string name, Action<string> damage, string words) => new TestCaseData(damage, words).SetArgDisplayNames(name);

    private static void Remove(FolderEdit edit, string module) =>
        edit.Rename(name => name.StartsWith($"{module}.", StringComparison.Ordinal) ? null : name);

    private sealed class Immediate(Action<Quilt.Runtime.LoadProgress> hear) : IProgress<Quilt.Runtime.LoadProgress>
    {
        public void Report(Quilt.Runtime.LoadProgress value) => hear(value);
    }
}
