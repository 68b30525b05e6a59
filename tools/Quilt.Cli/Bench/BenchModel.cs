using System.Text.Json;
using Quilt.Cli.Synth;
using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Devices;
using Quilt.Runtime;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;

namespace Quilt.Cli.Bench;

/// <summary>What is measured: a decoder on its device. Owns both.</summary>
internal sealed class BenchModel : IDisposable
{
    private readonly IDisposable[] owned;
    private readonly LoadedModel? loaded;

    private BenchModel(string name, LoadedModel? loaded, Device device, Decoder decoder, MemoryPlan memory, SamplingOptions sampling,
        params IDisposable[] owned) =>
        (Name, this.loaded, Device, Decoder, Memory, Sampling, this.owned) = (name, loaded, device, decoder, memory, sampling, owned);

    /// <summary>The folder, or what the weights are like.</summary>
    public string Name { get; }

    public Device Device { get; }

    public Decoder Decoder { get; }

    /// <summary>What an engine of it would take.</summary>
    public MemoryPlan Memory { get; }

    /// <summary>How it asks tokens to be chosen.</summary>
    public SamplingOptions Sampling { get; }

    /// <summary>A checkpoint folder.</summary>
    public static BenchModel Open(string folder, EngineOptions options, IProgress<LoadProgress>? progress, CancellationToken cancel)
    {
        var model = LoadedModel.Open(folder, options, progress, cancel);
        return new(Path.GetFullPath(folder), model, model.Device, model.Decoder, model.Memory, model.DefaultSampling, model);
    }

    /// <summary>What runs its steps.</summary>
    public IExecutor NewExecutor(KvLayout layout, Activations activations) =>
        loaded?.NewExecutor(layout, activations) ?? new Executor(Decoder, Device, layout, activations);

    /// <summary>Random weights of given sizes, made on a GPU: no file is read, and none is as large as the model.</summary>
    /// <exception cref="UsageException">The device is no GPU.</exception>
    public static BenchModel Random(SynthShape shape, EngineOptions options, IProgress<LoadProgress>? progress, CancellationToken cancel)
    {
        var config = ModelConfig.Parse(JsonSerializer.SerializeToElement(SynthConfig.Model(shape, SynthFormat.Fp8Int4)), "--like");
        var device = options.OpenDevice();
        try
        {
            if (device is not GpuDevice gpu)
                throw new UsageException(
                    $"--like: expected a GPU as --device, found {device.Name}; on a CPU 'quilt synth' writes a checkpoint to measure");
            var spec = Architectures.Describe(config);
            var parts = new RandomParts(gpu, progress, cancel);
            var room = MemoryRoom.Of(gpu);
            var memory = MemoryPlanner.For(room, spec, parts, options).Require(room);
            var decoder = new Decoder(spec, DecoderWeights.Load(spec, parts));
            return new($"random, {shape.Layers} layers", null, device, decoder, memory, new SamplingOptions { TopP = 0.95, TopK = 40 },
                decoder, device);
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var item in owned) item.Dispose();
    }
}
