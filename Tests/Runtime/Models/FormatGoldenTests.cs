using System.Text.Json;
using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Tests.Kernels;

namespace Quilt.Tests.Runtime.Models;

/// <summary>
/// Small models in every way of storing weights: those that load give another implementation's logits on every instruction set and on a stand-in for
/// a GPU, the others are refused by the name that their config gives them.
/// </summary>
[Category("Conformance")]
public sealed class FormatGoldenTests
{
    // What quantization_config calls the formats that load: its quant_method, and compressed-tensors' format. A folder with any other is refused.
    private static readonly string[] Loads = ["fp8", "float-quantized", "pack-quantized", "mxfp8-quantized"];

    /// <summary>The folders that load.</summary>
    public static IEnumerable<TestCaseData> Folders() =>
        Shared.Folders("golden/formats").Where(folder => folder is null || Loads.Contains(FormatOf(folder))).Select(folder => Named(folder));

    public static IEnumerable<TestCaseData> Cases() =>
        from folder in Shared.Folders("golden/formats").Where(folder => folder is null || Loads.Contains(FormatOf(folder)))
        from isa in Enum.GetValues<Isa>()
        select Named(folder, isa);

    public static IEnumerable<TestCaseData> OnGpus() =>
        from folder in Shared.Folders("golden/formats").Where(folder => folder is null || Loads.Contains(FormatOf(folder)))
        from target in Target.Gpus
        select Named(folder, target);

    public static IEnumerable<TestCaseData> Others() =>
        Shared.Folders("golden/formats").Where(folder => folder is null || !Loads.Contains(FormatOf(folder))).Select(folder => Named(folder));

    [TestCaseSource(nameof(Cases))]
    public void Gives_the_reference_s_logits(string? folder, Isa isa)
    {
        Shared.Require(folder);
        if (!isa.IsSupported()) Assert.Ignore($"{isa} is not supported by this machine.");
        using var model = LoadedModel.Open(folder!, new EngineOptions { Isa = isa, Threads = 2 }, null, default);
        Assert.That(model.Warnings, Has.None.Contains("taken as stored"));
        Compare(model, folder!, 1e-4f);
    }

    [TestCaseSource(nameof(OnGpus))]
    [Category("Gpu")]
    public void Gives_them_on_a_GPU(string? folder, Target target)
    {
        Shared.Require(folder);
        var device = target.Open();
        using var model = LoadedModel.Open(folder!, new EngineOptions { Device = target.ToString(), Threads = 2, KvMemory = 64 << 20 }, null, default,
            on: device);
        Compare(model, folder!, 2e-3f);
    }

    [TestCaseSource(nameof(Others))]
    public void What_does_not_load_is_refused_by_name(string? folder)
    {
        var format = FormatOf(Shared.Require(folder));
        var refused = Assert.Throws<BadInputException>(() => LoadedModel.Open(folder!, new EngineOptions { Threads = 1 }, null, default))!;
        Assert.That(refused.Message, Does.Contain("config.json").And.Contain("quantization_config").And.Contain($"\"{format}\""));
    }

    private static void Compare(LoadedModel model, string folder, float tolerance)
    {
        using var expected = SafeTensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        var prompts = Enumerable.Range(0, int.MaxValue).TakeWhile(p => expected.Tensors.ContainsKey($"prompt.{p}.input_ids")).ToArray();
        Assert.That(prompts, Is.Not.Empty);
        var worst = 0f;
        foreach (var p in prompts)
        {
            var tokens = expected.ReadIntegers($"prompt.{p}.input_ids").Select(id => (int)id).ToArray();
            var logits = PromptRun.Trace(model, tokens).Logits;
            var wanted = expected.ReadFloats($"prompt.{p}.logits");
            Assert.That(logits, Has.Length.EqualTo(wanted.Length));
            var off = logits.Zip(wanted, (a, b) => float.IsNaN(a) ? float.PositiveInfinity : Math.Abs(a - b)).Max();
            Assert.That(off, Is.LessThanOrEqualTo(tolerance), $"prompt {p}");
            worst = Math.Max(worst, off);
        }
        TestContext.Out.WriteLine(FormattableString.Invariant($"worst deviation: {worst:g3}"));
    }

    private static string FormatOf(string folder)
    {
        using var config = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, ModelConfig.FileName)));
        var quantization = config.RootElement.GetProperty("quantization_config");
        return quantization.GetProperty(quantization.TryGetProperty("format", out _) ? "format" : "quant_method").GetString()!;
    }

    private static TestCaseData Named(params object?[] arguments) =>
        new TestCaseData(arguments).SetArgDisplayNames([Path.GetFileName((string?)arguments[0]) ?? "none", .. arguments.Skip(1).Select(a => $"{a}")]);
}
