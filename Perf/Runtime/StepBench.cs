using BenchmarkDotNet.Attributes;
using Quilt.Cli.Bench;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;

namespace Quilt.Perf.Runtime;

/// <summary>Whole steps of a model, driven as the command line's bench drives them.</summary>
public abstract class StepBench
{
    private LoadedModel model = null!;
    private Executor executor = null!;

    [Params(Activations.Float, Activations.Int8)]
    public Activations Input { get; set; }

    internal ModelRunner Runner { get; private set; } = null!;

    [GlobalSetup]
    public void Open()
    {
        var options = new EngineOptions { Activations = Input };
        model = BenchModel.Open(options);
        executor = new Executor(model.Decoder, model.Device, new KvLayout(1024, options.BlockTokens, KvType.BFloat16), Input);
        Runner = new ModelRunner(executor, new StepCost(model.Decoder.Spec, model.Decoder.Weights), options.BatchedTokens);
    }

    [GlobalCleanup]
    public void Close()
    {
        executor.Dispose();
        model.Dispose();
    }
}

/// <summary>Reading a prompt, up to the logits of its last token.</summary>
public class PrefillBench : StepBench
{
    [Params(128, 512)]
    public int Tokens { get; set; }

    [Benchmark]
    public double Run() => Runner.Prefill(Tokens);
}

/// <summary>
/// Sixteen decoding steps of a batch that has read 128 tokens a sequence; the reading is part of the run, <c>quilt bench</c> gives the steps alone.
/// </summary>
public class DecodeStepBench : StepBench
{
    [Params(1, 8)]
    public int Batch { get; set; }

    [Benchmark]
    public double Run() => Runner.Decode(Batch, 128, 16).Seconds;
}
