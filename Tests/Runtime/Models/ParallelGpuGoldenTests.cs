using Quilt.Formats.Tensors;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;

namespace Quilt.Tests.Runtime.Models;

/// <summary>
/// The smallest checkpoint with reference logits that two devices divide, on two stand-ins for GPUs; all of them would take many minutes there.
/// </summary>
[Category("Conformance")]
[Category("Gpu")]
public sealed class ParallelGpuGoldenTests
{
    private const float Tolerance = 2e-3f;

    [Test]
    public async Task Two_devices_give_the_reference_s_logits_and_continue_greedily_as_it_does([Values] bool dealsExperts)
    {
        var folder = Shared.Folders("golden/checkpoints").Where(GoldenFolder.Runs).Where(Divides).OrderBy(Size).FirstOrDefault();
        Shared.Require(folder);
        var options = new EngineOptions
        {
            Device = GpuDevices.Emulated, TensorParallel = 2, ExpertParallel = dealsExperts, Threads = 2, KvMemory = 64 << 20,
            KvType = KvType.Float32,
        };
        using var expected = SafeTensorsFile.Open(Path.Combine(folder!, "expected.safetensors"));
        var model = LoadedModel.Open(folder!, options, null, default);
        await using var engine = new Engine(model, options);
        using (var executor = model.NewExecutor(new KvLayout(1, 16, KvType.Float32)))
        {
            var trace = PromptTracer.Run(executor, Ids(expected, "prompt.0.input_ids"), layers: false, stepTokens: 512);
            var wanted = expected.ReadFloats("prompt.0.logits");
            Assert.That(trace.Logits, Has.Length.EqualTo(wanted.Length));
            Assert.That(trace.Logits.Zip(wanted, (a, b) => float.IsNaN(a) ? float.PositiveInfinity : Math.Abs(a - b)).Max(),
                Is.LessThanOrEqualTo(Tolerance));
        }
        var greedy = Ids(expected, "prompt.0.greedy");
        var ids = new List<int>();
        var sampling = new SamplingOptions { Temperature = 0, IgnoreEos = true, MaxTokens = greedy.Length };
        await foreach (var piece in engine.Generate(Ids(expected, "prompt.0.input_ids"), sampling)) ids.Add(piece.Id);
        Assert.That(ids, Is.EqualTo(greedy));
        Assert.That(engine.Warnings, Has.Some.Contain("sums between them go through the host's memory"));
    }

    private static bool Divides(string? folder)
    {
        if (folder is null) return true;
        var config = Quilt.Formats.Checkpoints.ModelConfig.Read(Path.Combine(folder, Quilt.Formats.Checkpoints.ModelConfig.FileName));
        try
        {
            DeviceShare.Check(Architectures.Describe(config), 2, dealsExperts: true, folder);
            return true;
        }
        catch (Quilt.Formats.BadInputException)
        {
            return false;
        }
    }

    private static long Size(string? folder) => folder is null
        ? 0
        : Directory.GetFiles(folder, "*.safetensors").Sum(file => new FileInfo(file).Length);

    private static int[] Ids(SafeTensorsFile expected, string name) => [.. expected.ReadIntegers(name).Select(id => (int)id)];
}
