using System.Diagnostics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Limits;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Models;

namespace Quilt.Cli.Bench;

/// <summary>
/// Measures a model beside the machine's limits. Limits and cases take turns, so that what else the machine does meets all of them, and a share is one of a limit
/// that was measured a moment before.
/// </summary>
internal static class ModelBench
{
    /// <summary>The limits alone.</summary>
    public static BenchResult Limits(EngineOptions options, int repetitions, CancellationToken cancel)
    {
        using var device = new CpuDevice(options.Isa, options.Threads);
        using var read = new ReadSpeed(device.Pool, BufferBytes());
        using var int8 = new Int8Speed(device);
        var (speeds, rates) = (new List<double>(), new List<double>());
        for (var i = 0; i <= repetitions; i++)
        {
            cancel.ThrowIfCancellationRequested();
            speeds.Add(read.Measure());
            rates.Add(int8.Measure());
        }
        return new BenchResult(null, Facts(device, speeds[1..], rates[1..]), [], []);
    }

    /// <summary>The model's speeds, and the limits.</summary>
    public static BenchResult Run(string folder, EngineOptions options, BenchOptions bench, IProgress<LoadProgress>? progress, CancellationToken cancel)
    {
        options.Validate();
        var start = Stopwatch.GetTimestamp();
        using var model = LoadedModel.Open(folder, options, progress, cancel);
        if (model.Device is not CpuDevice device) throw new UsageException("--device: expected cpu, whose limits are measured here");
        var loadSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        using var read = new ReadSpeed(device.Pool, BufferBytes());
        using var int8 = new Int8Speed(device);
        using var ops = new OpStream(device, options.Activations);
        using var runner = new ModelRunner(model, Cache(model, options, bench), ops, options.StepTokens);

        var (speeds, rates) = (new List<double>(), new List<double>());
        var prompts = bench.Prompts.Select(_ => new List<(double Rate, double Share)>()).ToArray();
        var batches = bench.Batches.Select(_ => new List<(double Rate, double Share, double Bytes)>()).ToArray();
        // The first round compiles and warms up.
        for (var round = 0; round <= bench.Repetitions; round++)
        {
            for (var i = 0; i < prompts.Length; i++)
            {
                cancel.ThrowIfCancellationRequested();
                rates.Add(int8.Measure());
                var seconds = runner.Prefill(bench.Prompts[i]);
                prompts[i].Add((bench.Prompts[i] / seconds, runner.PrefillOperations(bench.Prompts[i]) / 1e9 / seconds / rates[^1]));
            }
            for (var i = 0; i < batches.Length; i++)
            {
                cancel.ThrowIfCancellationRequested();
                speeds.Add(read.Measure());
                var (seconds, bytes) = runner.Decode(bench.Batches[i], bench.Context, bench.Steps);
                batches[i].Add((bench.Batches[i] * bench.Steps / seconds, bytes * bench.Steps / 1e9 / seconds / speeds[^1], bytes));
            }
            if (round == 0)
            {
                speeds.Clear();
                rates.Clear();
                foreach (var list in prompts) list.Clear();
                foreach (var list in batches) list.Clear();
            }
        }

        var facts = new ModelFacts(Path.GetFullPath(folder), options.Activations.ToString().ToLowerInvariant(), model.Decoder.Weights.Bytes, loadSeconds, Resident(read));
        return new BenchResult(facts, Facts(device, speeds, rates),
            [.. bench.Prompts.Zip(prompts, (tokens, found) => Prefill(tokens, found, runner))],
            [.. bench.Batches.Zip(batches, (batch, found) => Decode(batch, bench.Context, found))]);
    }

    private static PrefillResult Prefill(int tokens, List<(double Rate, double Share)> found, ModelRunner runner)
    {
        var rate = Median(found.Select(f => f.Rate));
        return new(tokens, rate, runner.PrefillOperations(tokens) * rate / tokens / 1e9, Median(found.Select(f => f.Share)));
    }

    private static DecodeResult Decode(int batch, int context, List<(double Rate, double Share, double Bytes)> found)
    {
        var (rate, bytes) = (Median(found.Select(f => f.Rate)), found.Average(f => f.Bytes));
        return new(batch, context, rate, bytes, bytes * rate / batch / 1e9, Median(found.Select(f => f.Share)));
    }

    private static KvStore Cache(LoadedModel model, EngineOptions options, BenchOptions bench)
    {
        var tokens = Math.Max(bench.Prompts.DefaultIfEmpty().Max(), bench.Context + bench.Steps);
        if (tokens > model.Config.MaxPositions) throw new UsageException($"the model takes {model.Config.MaxPositions} tokens at most, {tokens} were asked for");
        var blocks = bench.Batches.DefaultIfEmpty(1).Max() * ((tokens + options.BlockTokens - 1) / options.BlockTokens);
        var type = options.KvType ?? (options.Activations == Activations.Int8 ? KvType.BFloat16 : KvType.Float32);
        return new KvStore(model.Decoder.Spec, blocks, options.BlockTokens, type, model.Device);
    }

    private static MachineFacts Facts(CpuDevice device, List<double> speeds, List<double> rates) =>
        new(device.Pool.Threads, device.Isa.ToString().ToLowerInvariant(), Median(speeds), Median(rates));

    // A quarter of what is free at most; a buffer that pushed the weights out of memory would measure the disk.
    private static long BufferBytes()
    {
        var memory = GC.GetGCMemoryInfo();
        var free = memory.TotalAvailableMemoryBytes - Environment.WorkingSet;
        return Math.Clamp(free / 4, 64L << 20, ReadSpeed.DefaultBytes);
    }

    private static long Resident(ReadSpeed read) => Environment.WorkingSet - read.Bytes;

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
