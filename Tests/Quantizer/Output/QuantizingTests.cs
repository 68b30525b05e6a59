using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;
using Quilt.Quantizer;
using Quilt.Quantizer.Output;
using Quilt.Quantizer.Plan;
using Quilt.Quantizer.Recipes;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Tests.Quantizer.Plan;
using Quilt.Tests.Runtime.Models;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Quantizer.Output;

/// <summary>Whole runs without data, on tiny models.</summary>
public sealed class QuantizingTests
{
    private const string Experts = @"'re:.*experts\.\d+\.(w1|w2|w3)$'";
    private readonly SourceFolder folder = new();
    private string dense = "";
    private string official = "";

    [OneTimeSetUp]
    public void Create() => (dense, official) = (folder.Dense(), folder.Official());

    [OneTimeTearDown]
    public void Delete() => folder.Dispose();

    [Test]
    public void Official_fp8_has_its_publishers_names_types_and_config()
    {
        using var checkpoint = Checkpoint.Open(official);
        var name = "model.layers.0.block_sparse_moe.experts.0.w1";
        Assert.That(checkpoint.Find($"{name}.weight")!.Type, Is.EqualTo(DType.F8E4M3));
        Assert.That(checkpoint.Find($"{name}.weight_scale_inv")!.Type, Is.EqualTo(DType.F32));
        Assert.That(checkpoint.Find("model.layers.0.block_sparse_moe.gate.weight")!.Type, Is.EqualTo(DType.F32));
        var config = SourceFolder.Config(official);
        Assert.That((string?)config["quant_method"], Is.EqualTo("fp8"));
        Assert.That(config["modules_to_not_convert"]!.AsArray().Select(text => (string?)text),
            Is.EqualTo(new[] { "gate", "e_score_correction_bias", "lm_head" }));
        using var source = Checkpoint.Open(dense);
        var values = Array.ConvertAll(source.Module(name, 32, 64).Dequantize(), value => (BFloat16)value);
        var (codes, scales) = Fp8BlockQuantizer.Quantize(values, 32, 64);
        var expected = codes.Select(code => Float8E4M3.Decode(code) * scales[0]);
        Assert.That(checkpoint.Module(name, 32, 64).Dequantize(), Is.EqualTo(expected));
        Assert.That(checkpoint.Warnings, Is.Empty);
    }

    [Test]
    public void From_official_fp8_the_experts_become_int4_and_the_rest_stays_to_the_byte()
    {
        var path = folder.Quantized(official, SourceFolder.Int4(Experts), "fp8-int4");
        using var pair = new Pair(official, path);
        var (before, after) = (pair.Before, pair.After);
        foreach (var tensor in before.Tensors.Where(tensor => !tensor.Name.Contains(".experts.")))
        {
            var same = after.Tensors.Single(other => other.Name == tensor.Name.Replace("weight_scale_inv", "weight_scale"));
            Assert.That((same.Type, Bytes(after, same)), Is.EqualTo((tensor.Type, Bytes(before, tensor))), tensor.Name);
        }
        var expert = after.Module("model.layers.1.block_sparse_moe.experts.3.w2", 64, 32);
        Assert.That(expert.Scheme, Is.EqualTo("int4 g32"));
        // What it is made of are the dequantized values, rounded to bfloat16.
        var values = Array.ConvertAll(before.Module(expert.Name, 64, 32).Dequantize(), value => (BFloat16)value);
        var made = GroupQuantizer.Quantize(values, 64, 32, group: 32, bits: 4, symmetric: true);
        Assert.That(expert.Dequantize(), Is.EqualTo(made.Codes.Select((code, i) => code * (float)made.Scales[i / 32])));
        Assert.That(after.Warnings, Is.Empty);

        var config = SourceFolder.Config(path);
        Assert.That((string?)config["format"], Is.EqualTo("mixed-precision"));
        Assert.That(config["config_groups"]!.AsObject().Select(group => (string?)group.Value!["format"]),
            Is.EqualTo(new[] { "pack-quantized", "float-quantized" }));
        Assert.That(Distance(official, path), Is.InRange(1e-6, 0.35));
    }

    [Test]
    public void From_official_fp8_attention_kept_by_a_group_is_kept_to_the_byte()
    {
        var path = folder.Quantized(official, SourceFolder.Recipe(
            "config_groups: {a: {targets: ['re:.*self_attn.*_proj$'], weights: {type: float, block_structure: [128, 128]}}, " +
            $"b: {{targets: [{Experts}], weights: {{num_bits: 8, strategy: channel}}}}}}"), "kept");
        using var pair = new Pair(official, path);
        var (before, after) = (pair.Before, pair.After);
        var name = "model.layers.0.self_attn.q_proj.weight_scale";
        Assert.That(Bytes(after, after.Find(name)!), Is.EqualTo(Bytes(before, before.Find(name + "_inv")!)));
        Assert.That(Distance(official, path), Is.InRange(1e-8, 0.02));
    }

    [Test]
    public void Packed_sources_are_quantized_anew_or_kept()
    {
        using var tiny = new TinyFolder();
        var kept = folder.Quantized(tiny.Path, SourceFolder.Recipe("scheme: FP8_BLOCK, targets: ['re:.*self_attn.*']"), "kept-int4");
        using (var pair = new Pair(tiny.Path, kept))
        {
            Assert.That(pair.After.Tensors.ToDictionary(tensor => tensor.Name, tensor => Bytes(pair.After, tensor)),
                Is.EqualTo(pair.Before.Tensors.ToDictionary(tensor => tensor.Name, tensor => Bytes(pair.Before, tensor))));
        }
        Assert.That(SourceFolder.Config(kept)["config_groups"]!.AsObject(), Has.Count.EqualTo(2));
        var anew = folder.Quantized(tiny.Path,
            SourceFolder.Recipe("scheme: FP8_DYNAMIC, targets: [Linear], ignore: [lm_head, 're:.*gate$']"), "anew");
        using (var after = Checkpoint.Open(anew))
        {
            Assert.That(after.Module("model.layers.0.block_sparse_moe.experts.0.w1", 32, 64).Scheme, Is.EqualTo("fp8 1x64"));
            Assert.That(after.Find("model.layers.0.block_sparse_moe.experts.0.w1.weight_shape"), Is.Null);
            Assert.That(after.Warnings, Is.Empty);
        }
        Assert.That(Distance(tiny.Path, anew), Is.InRange(1e-6, 0.1));
    }

    [Test]
    public void Experts_under_every_name_and_in_one_tensor_become_the_same_weights([Values("mixtral", "plain", "linearized", "fused")] string style)
    {
        using var renamed = new RenamedFolder(WithIndex(dense), style);
        var recipe = SourceFolder.Int4(Experts);
        var (expected, found) = (folder.Quantized(dense, recipe, $"plain-{style}"), folder.Quantized(renamed.Path, recipe, $"renamed-{style}"));
        Assert.That(Distance(expected, found), Is.Zero);
        // Left alone they stay as they lie.
        var alone = folder.Quantized(renamed.Path, SourceFolder.Int4("'re:.*self_attn.*'"), $"alone-{style}");
        using var file = SafeTensorsFile.Open(Path.Combine(alone, "model.safetensors"));
        using var source = SafeTensorsFile.Open(Path.Combine(renamed.Path, "model.safetensors"));
        Assert.That(file.Tensors.Keys.Where(name => !name.Contains("self_attn")),
            Is.EquivalentTo(source.Tensors.Keys.Where(name => !name.Contains("self_attn"))));
    }

    [Test]
    public void Any_number_of_threads_writes_the_same_bytes()
    {
        var recipe = SourceFolder.Int4("Linear", "lm_head", ", symmetric: false");
        using var source = Checkpoint.Open(dense);
        Quantizing.Run(source, Path.Combine(folder.Path, "one"), recipe, threads: 1);
        Quantizing.Run(source, Path.Combine(folder.Path, "five"), recipe, threads: 5);
        Assert.That(File.ReadAllBytes(Path.Combine(folder.Path, "five", "model.safetensors")),
            Is.EqualTo(File.ReadAllBytes(Path.Combine(folder.Path, "one", "model.safetensors"))));
    }

    [Test]
    public void Weights_in_half_and_single_are_quantized_in_their_own_arithmetic([Values] bool half)
    {
        var type = half ? DType.F16 : DType.F32;
        using var source = Checkpoint.Open(dense);
        var path = Path.Combine(folder.Path, $"as-{type}");
        Directory.CreateDirectory(path);
        File.Copy(Path.Combine(dense, "config.json"), Path.Combine(path, "config.json"));
        SafeTensorsWriter.Write(Path.Combine(path, "model.safetensors"), [.. source.Tensors.Select(tensor =>
            new TensorToWrite(tensor.Name, type, tensor.Shape, FloatBytes.Encode(type, Floats(source, tensor).Select(x => x * 1.1f).ToArray())))]);
        var result = folder.Quantized(path, SourceFolder.Int4(Experts), $"from-{type}");
        using var pair = new Pair(path, result);
        var (before, after) = (pair.Before, pair.After);
        var name = "model.layers.0.block_sparse_moe.experts.2.w3";
        Assert.That(after.Find($"{name}.weight_scale")!.Type, Is.EqualTo(type));
        var values = Floats(before, before.Find($"{name}.weight")!);
        var (codes, scales, _) = half
            ? GroupQuantizer.Quantize<HalfPrecision>(values, 64, 32, 4, symmetric: true)
            : GroupQuantizer.Quantize<SinglePrecision>(values, 64, 32, 4, symmetric: true);
        Assert.That(after.Module(name, 32, 64).Dequantize(), Is.EqualTo(codes.Select((code, i) => code * scales[i / 32])));
    }

    [Test]
    public void Scales_that_are_given_are_the_ones_that_are_used()
    {
        using var source = Checkpoint.Open(dense);
        var plan = QuantizePlan.Create(source, SourceFolder.Int4(Experts));
        var (part, name) = (plan.Parts[1], "model.layers.0.block_sparse_moe.experts.1.w2");
        var scales = new float[64];
        for (var i = 0; i < scales.Length; i++) scales[i] = BFloat16.Round(0.01f * (i + 1));
        var weight = new BFloat16[64 * 32];
        for (var i = 0; i < weight.Length; i++) weight[i] = (BFloat16)(0.001f * (i % 1000));
        var changes = new PartChanges
        {
            Weights = new Dictionary<string, WeightRows> { [name] = WeightRows.Of(name, weight, 32) },
            Scales = new Dictionary<string, float[]> { [name] = scales },
            Vectors = new Dictionary<string, float[]> { ["model.layers.0.input_layernorm.weight"] = new float[64] },
        };
        var path = Path.Combine(folder.Path, "given.safetensors");
        SafeTensorsWriter.Write(path, new PartTensors(plan, part, 2, default).Tensors(changes));
        using var file = SafeTensorsFile.Open(path);
        Assert.That(file.ReadFloats($"{name}.weight_scale"), Is.EqualTo(scales));
        var codes = PackedInt.Unpack(Array.ConvertAll(file.ReadIntegers($"{name}.weight_packed"), word => (int)word), 64, 32, 4);
        Assert.That(codes, Is.EqualTo(weight.Select((w, i) => GroupQuantizer.Code<BFloat16Precision>((float)w, scales[i / 32], 0, 4))));
        Assert.That(file.ReadFloats("model.layers.0.input_layernorm.weight"), Is.All.Zero);

        foreach (var wrong in (PartChanges[])[
            new() { Scales = new Dictionary<string, float[]> { [name] = new float[3] } },
            new() { Vectors = new Dictionary<string, float[]> { ["model.norm.weight"] = new float[64] } },
            new() { Weights = new Dictionary<string, WeightRows> { ["nothing"] = WeightRows.Of(name, weight, 32) } }])
            Assert.That(() => new PartTensors(plan, part, 2, default).Tensors(wrong), Throws.ArgumentException);
        var zero = new PartChanges { Scales = new Dictionary<string, float[]> { [name] = new float[64] } };
        Assert.That(() => new PartTensors(plan, part, 2, default).Tensors(zero),
            Throws.InstanceOf<BadInputException>().With.Message.Contains(name));
    }

    [Test]
    public void A_weight_that_is_not_finite_is_refused_by_name_and_place_and_nothing_is_left([Values(float.NaN, float.NegativeInfinity)] float bad)
    {
        var path = Damaged(bad, "model.layers.1.block_sparse_moe.experts.0.w3.weight", at: 70);
        using var source = Checkpoint.Open(path);
        var output = Path.Combine(folder.Path, $"refused{bad}");
        var refused = Assert.Throws<BadInputException>(() => Quantizing.Run(source, output, SourceFolder.Int4(Experts), threads: 2));
        Assert.That(refused!.Message, Does.Contain("experts.0.w3.weight").And.Contain("[1, 6]"));
        Assert.That(Directory.Exists(output), Is.False);
    }

    [Test]
    public void Weights_too_large_for_a_scale_are_refused_by_name()
    {
        var path = Damaged(3.38e38f, "model.layers.0.self_attn.q_proj.weight", at: 1, also: -3.38e38f);
        using var source = Checkpoint.Open(path);
        var refused = Assert.Throws<BadInputException>(() =>
            Quantizing.Run(source, Path.Combine(folder.Path, "large"), SourceFolder.Int4("Linear", "", ", symmetric: false"), threads: 2));
        Assert.That(refused!.Message, Does.Contain("self_attn.q_proj.weight").And.Contain("scale"));
    }

    [Test]
    public void Stopped_after_a_part_goes_on_behind_it()
    {
        var recipe = SourceFolder.Int4(Experts);
        var whole = folder.Quantized(dense, recipe, "uninterrupted");
        using var cancel = new CancellationTokenSource();
        using var source = Checkpoint.Open(dense);
        var output = Path.Combine(folder.Path, "interrupted");
        var seen = new List<string>();
        var stop = new Progress(progress =>
        {
            seen.Add(progress.What);
            if (progress.What == "layer-0") cancel.Cancel();
        });
        Assert.That(() => Quantizing.Run(source, output, recipe, 2, stop, cancel.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(seen, Is.EqualTo(new[] { "embedding", "layer-0" }));
        Assert.That(() => Quantizing.Run(source, output, SourceFolder.Int4("'re:.*self_attn.*'"), 2),
            Throws.InstanceOf<BadInputException>().With.Message.Contains("recipe"));
        var written = File.GetLastWriteTimeUtc(Path.Combine(output + ".partial", "parts", "layer-0.safetensors"));
        var last = default(LoadProgress);
        Quantizing.Run(source, output, recipe, 2, new Progress(progress =>
        {
            if (progress.What == "layer-1")
                Assert.That(File.GetLastWriteTimeUtc(Path.Combine(output + ".partial", "parts", "layer-0.safetensors")), Is.EqualTo(written));
            last = progress;
        }));
        Assert.That(last.BytesDone, Is.EqualTo(last.BytesTotal).And.Positive);
        foreach (var file in Directory.GetFiles(whole))
            Assert.That(File.ReadAllBytes(Path.Combine(output, Path.GetFileName(file))), Is.EqualTo(File.ReadAllBytes(file)), file);
    }

    private string Damaged(float bad, string name, int at, float? also = null)
    {
        using var source = Checkpoint.Open(dense);
        var path = Path.Combine(folder.Path, Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(path);
        File.Copy(Path.Combine(dense, "config.json"), Path.Combine(path, "config.json"));
        SafeTensorsWriter.Write(Path.Combine(path, "model.safetensors"), [.. source.Tensors.Select(tensor =>
        {
            var values = Floats(source, tensor);
            if (tensor.Name == name) values[at] = bad;
            if (tensor.Name == name && also is { } second) values[at + 1] = second;
            return new TensorToWrite(tensor.Name, DType.BF16, tensor.Shape, FloatBytes.Encode(DType.BF16, values));
        })]);
        return path;
    }

    // RenamedFolder reads folders with an index.
    private string WithIndex(string from)
    {
        var path = Path.Combine(folder.Path, $"indexed-{Guid.NewGuid():N}");
        Directory.CreateDirectory(path);
        foreach (var file in Directory.GetFiles(from)) File.Copy(file, Path.Combine(path, Path.GetFileName(file)));
        using var tensors = SafeTensorsFile.Open(Path.Combine(path, "model.safetensors"));
        new ShardIndex(tensors.Tensors.Keys.ToDictionary(name => name, _ => "model.safetensors"), null)
            .Write(Path.Combine(path, ShardIndex.FileName));
        return path;
    }

    // Relative distance of the logits of two folders.
    private static double Distance(string one, string other)
    {
        float[] Logits(string path)
        {
            using var model = LoadedModel.Open(path, new EngineOptions { Threads = 2 }, null, default);
            return PromptRun.Trace(model, [5, 17, 200, 42, 3, 99, 150, 8]).Logits;
        }

        var (a, b) = (Logits(one), Logits(other));
        return Math.Sqrt(a.Zip(b, (x, y) => Math.Pow(x - y, 2)).Sum() / a.Sum(x => Math.Pow(x, 2)));
    }

    private static byte[] Bytes(Checkpoint checkpoint, TensorEntry tensor)
    {
        var bytes = new byte[tensor.Length];
        checkpoint.Read(tensor, bytes);
        return bytes;
    }

    private static float[] Floats(Checkpoint checkpoint, TensorEntry tensor)
    {
        var values = new float[tensor.Elements];
        TensorValues.ToFloats(tensor.Type, Bytes(checkpoint, tensor), values);
        return values;
    }

    private sealed class Progress(Action<LoadProgress> heard) : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value) => heard(value);
    }

    private sealed class Pair(string before, string after) : IDisposable
    {
        public Checkpoint Before { get; } = Checkpoint.Open(before);

        public Checkpoint After { get; } = Checkpoint.Open(after);

        public void Dispose()
        {
            Before.Dispose();
            After.Dispose();
        }
    }
}
