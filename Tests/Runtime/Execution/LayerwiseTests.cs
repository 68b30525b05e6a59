using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;
using Quilt.Runtime;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;
using Quilt.Runtime.Scheduling;
using Quilt.Tests.Kernels;
using Quilt.Tests.Runtime.Models;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime.Execution;

/// <summary>A decoder's layers one by one: called alone, loaded alone, watched.</summary>
[NonParallelizable]
public sealed class LayerwiseTests
{
    private static readonly int[] Prompt = [.. Enumerable.Range(0, 70).Select(i => i * 37 % 300)];

    public static IEnumerable<TestCaseData> Folders() =>
        Shared.Folders("golden/checkpoints").Concat(Shared.Folders("golden/architectures")).Where(GoldenFolder.Runs)
            .Select(folder => new TestCaseData(folder).SetArgDisplayNames(Path.GetFileName(folder) ?? "none"));

    [Category("Conformance")]
    [TestCaseSource(nameof(Folders))]
    public void One_layer_at_a_time_gives_the_bits_of_all_of_them(string? folder) =>
        AssertSame(Shared.Require(folder), [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]);

    [Test]
    public void One_layer_at_a_time_gives_the_bits_of_all_of_them_in_chunks_of_any_size([Values(1, 7, 64, 512)] int stepTokens)
    {
        using var folder = new TinyFolder();
        AssertSame(folder.Path, Prompt, stepTokens);
    }

    [Test]
    public void Prompts_that_go_together_get_the_bits_that_each_gets_alone([Values(1, 7, 64)] int stepTokens)
    {
        using var folder = new TinyFolder();
        var options = new EngineOptions { Threads = 2, MaxBatchedTokens = stepTokens };
        using var model = LoadedModel.Open(folder.Path, options, null, default);
        int[][] prompts = [Prompt, [5], [.. Prompt.Reverse().Take(23)]];
        using var streams = new PromptStreams(model.Decoder.Spec, model.Device, options, prompts);
        streams.Embed(model.Decoder.Weights.Embedding);
        var (choices, foreseen) = (new RouterChoices(streams.Tokens, 2), new RouterChoices(streams.Tokens, 2));
        var alone = Array.ConvertAll(prompts, prompt => PromptRun.Trace(model, prompt, layers: true, stepTokens));
        foreach (var (index, layer) in model.Decoder.Weights.Layers.Index())
        {
            streams.Route(layer, foreseen);
            streams.Forward(layer, index, choices);
            Assert.That(streams.Rows.Values.ToArray(), Is.EqualTo(alone.SelectMany(trace => trace.LayerHidden[index])));
            var chosen = choices.All.ToArray();
            Assert.That(chosen, Is.EqualTo(alone.SelectMany(trace => trace.RouterIds[index])));
            Assert.That(foreseen.All.ToArray(), Is.EqualTo(chosen));
        }
    }

    [Test]
    public void On_a_GPU_too()
    {
        using var folder = new TinyFolder();
        var options = new EngineOptions { MaxBatchedTokens = 32, Threads = 2 };
        var device = (GpuDevice)Target.Gpus[0].Open();
        using var model = LoadedModel.Open(folder.Path, options with { Device = device.Name, KvMemory = 8 << 20 }, null, default, on: device);
        var whole = PromptRun.Trace(model, Prompt, layers: true, 32);
        using var checkpoint = Checkpoint.Open(folder.Path);
        var tracer = new LayerwiseTracer(model.Decoder.Spec, new CheckpointParts(checkpoint, device, null, default), device, options);
        Assert.That(tracer.Run(Prompt, layers: true).Logits, Is.EqualTo(whole.Logits));
    }

    [Test]
    public void It_holds_the_memory_of_one_layer_however_many_there_are()
    {
        Assert.That(MostHeld(layers: 12), Is.EqualTo(MostHeld(layers: 4)), "beside the numbers that are kept");
    }

    [Test]
    public void A_prompt_that_cannot_be_run_is_refused()
    {
        using var folder = new TinyFolder();
        using var checkpoint = Checkpoint.Open(folder.Path);
        using var device = new CpuDevice(threads: 1);
        var spec = Architectures.Describe(checkpoint.Config);
        var tracer = new LayerwiseTracer(spec, new CheckpointParts(checkpoint, device, null, default), device, new EngineOptions());
        foreach (var prompt in new int[][] { [], [300], [-1], new int[TinyMiniMax.MaxPositions + 1] })
            Assert.That(() => tracer.Run(prompt, layers: false), Throws.TypeOf<Quilt.Formats.BadInputException>());
    }

    [Test]
    public void An_observer_is_given_the_input_of_every_linear_layer()
    {
        using var folder = new TinyFolder();
        using var model = LoadedModel.Open(folder.Path, new EngineOptions { Threads = 2 }, null, default);
        using var executor = new Executor(model.Decoder, model.Device, new KvLayout(8, 16, KvType.Float32));
        var (plan, sequence, watch) = (new StepPlan(), new Sequence(Prompt), new Watch());
        new KvBlockPool(8).TryAllocate(5, sequence.BlockTable);
        plan.Add(sequence, Prompt.Length, 16, LogitsOf.EveryToken);
        var watched = executor.Rows(plan, observer: watch).Values.ToArray();

        var spec = model.Decoder.Spec;
        var perToken = spec.Experts!.PerToken;
        foreach (var layer in model.Decoder.Weights.Layers)
        {
            foreach (var linear in layer.Linears)
            {
                var routed = linear.Weight.Experts > 1;
                var pairs = linear == layer.Experts!.Down;
                Assert.That(watch.Inputs.Remove(linear.Weight.Name, out var input), Is.True, linear.Weight.Name);
                Assert.That((input.Rows, input.Columns), Is.EqualTo((pairs ? Prompt.Length * perToken : Prompt.Length, linear.Weight.Columns)));
                Assert.That(input.Plan, Is.EqualTo(routed));
                Assert.That(input.Pairs, Is.EqualTo(pairs));
            }
        }
        Assert.That(watch.Inputs, Is.Empty, "and of nothing else");
        Assert.That(watch.Values["model.layers.0.self_attn.q_proj"], Is.EqualTo(watch.Values["model.layers.0.self_attn.v_proj"]));
        Assert.That(watch.Layers, Is.EqualTo(Enumerable.Range(0, spec.Layers)));
        Assert.That(executor.Rows(plan).Values.ToArray(), Is.EqualTo(watched), "watching changes nothing");
    }

    private static void AssertSame(string folder, int[] tokens, int stepTokens = 512)
    {
        var options = new EngineOptions { Threads = 2, MaxBatchedTokens = stepTokens };
        using var model = LoadedModel.Open(folder, options, null, default);
        var whole = PromptRun.Trace(model, tokens, layers: true, stepTokens);
        using var checkpoint = Checkpoint.Open(folder);
        var parts = new CheckpointParts(checkpoint, model.Device, null, default);
        var tracer = new LayerwiseTracer(model.Decoder.Spec, parts, model.Device, options);
        var layerwise = tracer.Run(tokens, layers: true);
        Assert.That(layerwise.Logits, Is.EqualTo(whole.Logits));
        Assert.That(layerwise.Embedding, Is.EqualTo(whole.Embedding));
        for (var layer = 0; layer < whole.LayerHidden.Count; layer++)
        {
            Assert.That(layerwise.LayerHidden[layer], Is.EqualTo(whole.LayerHidden[layer]), $"layer {layer}");
            Assert.That(layerwise.RouterIds[layer], Is.EqualTo(whole.RouterIds[layer]));
            Assert.That(layerwise.RouterWeights[layer], Is.EqualTo(whole.RouterWeights[layer]));
        }
    }

    private static long MostHeld(int layers)
    {
        using var folder = new TinyFolder(layers: layers);
        using var checkpoint = Checkpoint.Open(folder.Path);
        using var device = new CpuDevice(threads: 1);
        var spec = Architectures.Describe(checkpoint.Config);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = NativeBuffer.Held;
        NativeBuffer.Watch();
        new LayerwiseTracer(spec, new CheckpointParts(checkpoint, device, null, default), device, new EngineOptions()).Run(Prompt, layers: false);
        Assert.That(NativeBuffer.Held, Is.EqualTo(before), "nothing stays");
        return NativeBuffer.MostHeld - before;
    }

    private sealed class Watch : StepObserver
    {
        public Dictionary<string, (int Rows, int Columns, bool Plan, bool Pairs)> Inputs { get; } = [];

        public Dictionary<string, float[]> Values { get; } = [];

        public List<int> Layers { get; } = [];

        public override void Input(OpStream ops, Linear linear, Matrix x, ExpertPlan? plan, ExpertRows rows)
        {
            Inputs.Add(linear.Weight.Name, (x.Rows, x.Columns, plan is not null, plan is not null && rows == ExpertRows.Pairs));
            Values.Add(linear.Weight.Name, ops.ToHost(x).Values.ToArray());
        }

        public override void Layer(OpStream ops, int layer, Matrix x, ExpertPlan? experts) => Layers.Add(layer);
    }
}
