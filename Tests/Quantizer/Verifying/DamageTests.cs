using System.Text.Json.Nodes;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Stitching;
using Quilt.Quantizer.Verifying;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Quantizer.Verifying;

/// <summary>
/// A good checkpoint damaged in one way at a time: the check whose matter it is speaks, and no other but those that see its consequences.
/// </summary>
public sealed class DamageTests
{
    private const string Layer = "model.layers.1";
    private const string Expert = Layer + ".block_sparse_moe.experts.2";
    private TemporaryFolder work = null!;

    private string Official => work.Below("official");

    /// <summary>What is done to the folder, which checks speak, and a part of what the first of them says.</summary>
    public static IEnumerable<TestCaseData> Damages()
    {
        yield return Edit("a norm is missing", edit => edit.Remove($"{Layer}.self_attn.q_norm.weight"),
            "1 fail", "self_attn.q_norm.weight: expected this tensor");
        yield return Edit("the shape beside packed codes is missing", edit => edit.Remove($"{Expert}.w1.weight_shape"),
            "1 fail", $"{Expert}.w1.weight_shape: expected this tensor");
        yield return Edit("an old scale was left behind", edit => edit.Add($"{Expert}.w1.weight_scale_inv", DType.F32, [1, 1], new byte[4]),
            "1 warn", $"{Expert}.w1.weight_scale_inv: expected no such tensor");
        yield return Edit("a norm is too long", edit =>
        {
            edit.Remove($"{Layer}.input_layernorm.weight");
            edit.Add($"{Layer}.input_layernorm.weight", DType.BF16, [SmoothedPair.Hidden + 1], new byte[2 * (SmoothedPair.Hidden + 1)]);
        }, "2 fail", $"input_layernorm.weight: expected shape [{SmoothedPair.Hidden}], found [{SmoothedPair.Hidden + 1}]");
        yield return Edit("packed codes have other sizes than their shape says", edit => edit.Values<long>($"{Expert}.w2.weight_shape")[1]++,
            "2 fail", $"{Expert}.w2.weight_shape: expected [128, 64], found [128, 65]");
        yield return Edit("a router was rounded", edit => edit.ToBFloat16($"{Layer}.block_sparse_moe.gate.weight"),
            "2 warn", "gate.weight: expected F32, as the official one is stored, found BF16");
        yield return Edit("a code is NaN", edit => edit[$"{Layer}.self_attn.q_proj.weight"][130] = 0x7F,
            "3 fail", "expected finite values, found NaN or infinity (0x7F) at [1, 2]");
        yield return Edit("a scale of fp8 is zero", edit => edit.Values<float>($"{Layer}.self_attn.v_proj.weight_scale")[0] = 0,
            "3 fail", "v_proj.weight_scale: expected finite scales of more than 0, found 0");
        yield return Edit("the embedding has an infinity", edit => edit.Values<ushort>("model.embed_tokens.weight")[5] = 0x7F80,
            "3 fail", "model.embed_tokens.weight: expected finite values");
        yield return Edit("a scale of a group is zero", edit => edit.Values<ushort>($"{Expert}.w1.weight_scale")[3] = 0,
            "4 fail", $"{Expert}.w1.weight_scale: expected finite scales of more than 0, found 0 at index 3");
        yield return Edit("a group has no code at an end", edit => edit.Values<uint>($"{Expert}.w2.weight_packed").Slice(16 + 4, 4).Fill(0x98798798),
            "4 fail", $"{Expert}.w2.weight_packed: expected a code at an end of its range in row 2, group 1");
        yield return Edit("w1 is another expert's", edit => edit.Swap($"{Expert}.w1", $"{Layer}.block_sparse_moe.experts.3.w1"),
            "5 fail", $"{Expert}.w1: expected");
        yield return Edit("w1 and w3 are exchanged", edit => edit.Swap($"{Expert}.w1", $"{Expert}.w3"),
            "5 fail, 6 fail", $"{Expert}.w1: expected");
        yield return Edit("w2 is another expert's", edit => edit.Swap($"{Expert}.w2", $"{Layer}.block_sparse_moe.experts.3.w2"),
            "6 fail", $"{Expert}.w2: expected");
        yield return Damage("the norm is the official one", (folder, official) =>
            FolderEdit.Of(folder, edit => edit.Take($"{Layer}.post_attention_layernorm.weight", official)),
            "7 fail", "post_attention_layernorm.weight: expected the norm that the experts were smoothed with, found the official one");
        yield return Edit("the norm is another layer's", edit =>
            edit["model.layers.0.post_attention_layernorm.weight"].CopyTo(edit[$"{Layer}.post_attention_layernorm.weight"].AsSpan()),
            "7 fail", "post_attention_layernorm.weight: expected the norm that goes with the weights");
        yield return Edit("norm and weights are off by a common factor", edit =>
        {
            foreach (ref var gain in edit.Values<BFloat16>($"{Layer}.post_attention_layernorm.weight")) gain = (BFloat16)((float)gain / 2);
            foreach (ref var weight in edit.Values<float>($"{Layer}.block_sparse_moe.gate.weight")) weight *= 2;
            for (var e = 0; e < SmoothedPair.Experts; e++)
            {
                foreach (var matrix in (string[])["w1", "w3"])
                {
                    foreach (ref var scale in edit.Values<BFloat16>($"{Layer}.block_sparse_moe.experts.{e}.{matrix}.weight_scale"))
                        scale = (BFloat16)((float)scale * 2);
                }
            }
        }, "7 warn", "expected the middle of official / smoothed norm, sqrt(max * min), at 1, found");
        yield return Damage("a router is not compensated", (folder, official) =>
            FolderEdit.Of(folder, edit => edit.Take($"{Layer}.block_sparse_moe.gate.weight", official)),
            "8 fail", "gate.weight: expected the official router with its columns times s");
        yield return Edit("a correction is another", edit => edit.Values<float>($"{Layer}.block_sparse_moe.e_score_correction_bias")[1] += 0.001f,
            "8 fail", "e_score_correction_bias: expected the official");
        yield return Edit("the index counts other bytes", edit => edit.Surplus = 8, "9 warn", "metadata.total_size is");
        yield return Edit("files lack their mark", edit => edit.Metadata = null, "9 warn", "expected \"format\": \"pt\" in its header");
        yield return Damage("the index names a tensor that is not there", (folder, _) =>
        {
            var path = Path.Combine(folder, ShardIndex.FileName);
            var map = ShardIndex.Read(path).WeightMap.ToDictionary();
            map["model.extra.weight"] = map.Values.First();
            new ShardIndex(map, null).Write(path);
        }, "9 fail", "model.extra.weight: expected this tensor");
        yield return Damage("a file is cut short", (folder, _) =>
        {
            using var file = new FileStream(Directory.GetFiles(folder, "*.safetensors").Order(StringComparer.Ordinal).First(), FileMode.Open);
            file.SetLength(file.Length - 1);
        }, "9 fail", ".safetensors");
        yield return Config("attention has no group of its own", groups => groups.Remove("group_0"),
            "10 fail", "k_proj: expected compressed-tensors to find fp8, as it is stored, found int4 from group_1");
        yield return Config("two groups name one target", groups => groups["group_0"]!["targets"] = new JsonArray("Linear"),
            "10 fail", "found int4 from group_1");
        yield return Config("vLLM finds no scheme for experts", groups =>
            groups["group_1"]!["targets"] = new JsonArray(@"re:.*block_sparse_moe\.experts\.\d+\.(w1|w2|w3)$"),
            "10 warn", "model.layers.0.mlp.experts: expected vLLM to find int4");
        yield return Config("vLLM takes attention for experts", groups =>
            groups["group_0"]!["targets"] = new JsonArray(@"re:.*self_attn\.(q_proj|k_proj|v_proj|o_proj)$"),
            "10 warn", "self_attn.qkv_proj: expected vLLM to find fp8");
        yield return Config("a group does not name its format", groups => groups["group_1"]!.AsObject().Remove("format"),
            "10 warn", "names no format");
        yield return Config("a group size is another", groups => groups["group_1"]!["weights"]!["group_size"] = 64,
            "10 fail", "expected groups of 32, as it is stored, found 64");
        yield return Damage("a size is missing", (folder, _) => FolderEdit.Config(folder, config => config.Remove("num_hidden_layers")),
            "10 fail", "num_hidden_layers");
        yield return Edit("attention's codes lie backwards", edit => Array.Reverse(edit[$"{Layer}.self_attn.o_proj.weight"]),
            "11 fail", $"{Layer}: expected a cosine above");
        yield return Edit("the head's rows lie backwards", edit => edit.Values<ushort>("lm_head.weight").Reverse(),
            "12 fail", "next token: expected less than");
    }

    [OneTimeSetUp]
    public void Write()
    {
        work = new TemporaryFolder();
        SmoothedPair.Write(work.Path);
        Stitcher.Run(Official, work.Below("awq"), work.Below("good"), repairRouters: true);
    }

    [OneTimeTearDown]
    public void Delete() => work.Dispose();

    [Test]
    public void A_good_checkpoint_passes_every_check()
    {
        var results = Verifier.Run(work.Below("good"), Official);
        Assert.That(results.Select(result => (result.Id, result.Status)),
            Is.EqualTo(Enumerable.Range(1, 12).Select(id => (id, CheckStatus.Ok))), Words(results));
    }

    [Test]
    public void Without_the_official_checkpoint_what_needs_it_is_skipped()
    {
        var results = Verifier.Run(work.Below("good"), null);
        Assert.That(results.Where(result => result.Status != CheckStatus.Ok).Select(result => (result.Id, result.Status, result.Detail)),
            Is.EqualTo(new[] { 5, 6, 7, 8, 11, 12 }.Select(id => (id, CheckStatus.Skipped, "needs the official checkpoint (--against)"))));
    }

    [TestCaseSource(nameof(Damages))]
    public void The_check_whose_matter_it_is_speaks(Action<string, string> damage, string speakers, string words)
    {
        var folder = work.Below($"damaged-{Guid.NewGuid():N}");
        FolderEdit.Copy(work.Below("good"), folder);
        damage(folder, Official);
        var results = Verifier.Run(folder, Official);
        var spoke = results.Where(result => result.Status is CheckStatus.Warn or CheckStatus.Fail).ToList();
        TestContext.Out.WriteLine(Words(results));
        var said = spoke.Select(result => $"{result.Id} {result.Status.ToString().ToLowerInvariant()}").ToList();
        var wanted = speakers.Split(", ");
        Assert.That(said.Take(wanted.Length), Is.EqualTo(wanted));
        // What is wrong with a weight, the models that are run show too, as far as random weights have much to lose.
        Assert.That(spoke.Skip(wanted.Length).Select(result => result.Id), Is.SubsetOf(new[] { 11, 12 }));
        Assert.That(spoke[0].Detail, Does.Contain(words));
    }

    private static string Words(IEnumerable<CheckResult> results) => string.Join("\n", results);

    private static TestCaseData Edit(string name, Action<FolderEdit> change, string speakers, string words) =>
        Damage(name, (folder, _) => FolderEdit.Of(folder, change), speakers, words);

    private static TestCaseData Config(string name, Action<JsonObject> change, string speakers, string words) =>
        Damage(name, (folder, _) => FolderEdit.Config(folder, config => change(config["quantization_config"]!["config_groups"]!.AsObject())),
            speakers, words);

    private static TestCaseData Damage(string name, Action<string, string> damage, string speakers, string words) =>
        new TestCaseData(damage, speakers, words).SetArgDisplayNames(name);
}
