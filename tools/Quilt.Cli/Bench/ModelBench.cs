using System.Diagnostics;
using Quilt.Kernels.Devices;
using Quilt.Runtime;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Kv;

namespace Quilt.Cli.Bench;

/// <summary>
/// Measures a model beside the machine's limits. Limits and cases take turns, so that what else the machine does meets all of them, and a share is
/// one of a limit that was measured a moment before.
/// </summary>
internal static class ModelBench
{
    /// <summary>The limits alone.</summary>
    public static BenchResult Limits(EngineOptions options, int repetitions, CancellationToken cancel)
    {
        options.Validate();
        using var device = options.OpenDevice();
        using var limits = MachineLimits.Of(device);
        var (speeds, rates) = (new List<double>(), new List<double>());
        for (var i = 0; i <= repetitions; i++)
        {
            cancel.ThrowIfCancellationRequested();
            speeds.Add(limits.Memory());
            rates.Add(limits.Products());
        }
        return new BenchResult(null, Facts(limits, speeds[1..], rates[1..]), [], [], []);
    }

    /// <summary>The model's speeds, and the limits.</summary>
    public static BenchResult Run(Func<EngineOptions, BenchModel> open, EngineOptions options, BenchOptions bench, CancellationToken cancel)
    {
        options.Validate();
        var start = Stopwatch.GetTimestamp();
        using var model = open(options);
        var loadSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        using var limits = MachineLimits.Of(model.Device);
        using var executor = new Executor(model.Decoder, model.Device, Cache(model, options, bench), options.Activations);
        var runner = new ModelRunner(executor, new StepCost(model.Decoder.Spec, model.Decoder.Weights), options.BatchedTokens,
            bench.Sampling(model.Sampling));

        var cachedRunner = new CachedRunner(executor);

        var (speeds, rates) = (new List<double>(), new List<double>());
        var cached = bench.Cached.Select(_ => new List<(double Find, double Read)>()).ToArray();
        var prompts = bench.Prompts.Select(_ => new List<(double Rate, double Share)>()).ToArray();
        var batches = bench.Batches.Select(_ => new List<(double Rate, double Share, double Bytes, double Choosing)>()).ToArray();
        // The first round compiles and warms up.
        for (var round = 0; round <= bench.Repetitions; round++)
        {
            for (var i = 0; i < prompts.Length; i++)
            {
                cancel.ThrowIfCancellationRequested();
                rates.Add(limits.Products());
                var seconds = runner.Prefill(bench.Prompts[i]);
                prompts[i].Add((bench.Prompts[i] / seconds, runner.PrefillOperations(bench.Prompts[i]) / 1e9 / seconds / rates[^1]));
            }
            for (var i = 0; i < cached.Length; i++) cached[i].Add(cachedRunner.Run(bench.Cached[i]));
            for (var i = 0; i < batches.Length; i++)
            {
                cancel.ThrowIfCancellationRequested();
                speeds.Add(limits.Memory());
                var (seconds, bytes, choosing) = runner.Decode(bench.Batches[i], bench.Context, bench.Steps);
                batches[i].Add((bench.Batches[i] * bench.Steps / seconds, bytes * bench.Steps / 1e9 / seconds / speeds[^1], bytes,
                    choosing / (seconds + choosing)));
            }
            if (round == 0)
            {
                speeds.Clear();
                rates.Clear();
                foreach (var list in prompts) list.Clear();
                foreach (var list in cached) list.Clear();
                foreach (var list in batches) list.Clear();
            }
        }

        var facts = new ModelFacts(model.Name, options.Activations.ToString().ToLowerInvariant(), model.Decoder.Weights.Bytes, loadSeconds,
            Environment.WorkingSet - limits.HostBytes);
        return new BenchResult(facts, Facts(limits, speeds, rates),
            [.. bench.Prompts.Zip(prompts, (tokens, found) => Prefill(tokens, found, runner))],
            [.. bench.Cached.Zip(cached, (tokens, found) =>
                new CachedResult(tokens, Median(found.Select(f => tokens / f.Find)), Median(found.Select(f => tokens / f.Read))))],
            [.. bench.Batches.Zip(batches, (batch, found) => Decode(batch, bench.Context, found))]);
    }

    private static PrefillResult Prefill(int tokens, List<(double Rate, double Share)> found, ModelRunner runner)
    {
        var rate = Median(found.Select(f => f.Rate));
        return new(tokens, rate, runner.PrefillOperations(tokens) * rate / tokens / 1e9, Median(found.Select(f => f.Share)));
    }

    private static DecodeResult Decode(int batch, int context, List<(double Rate, double Share, double Bytes, double Choosing)> found)
    {
        var (rate, bytes) = (Median(found.Select(f => f.Rate)), found.Average(f => f.Bytes));
        return new(batch, context, rate, bytes, bytes * rate / batch / 1e9, Median(found.Select(f => f.Share)),
            Median(found.Select(f => f.Choosing)));
    }

    private static KvLayout Cache(BenchModel model, EngineOptions options, BenchOptions bench)
    {
        var (prompt, row) = (Math.Max(bench.Prompts.DefaultIfEmpty().Max(), bench.Cached.DefaultIfEmpty().Max()), bench.Context + bench.Steps);
        var (tokens, most) = (Math.Max(prompt, row), model.Decoder.Spec.Attention.MaxPositions);
        if (tokens > most) throw new UsageException($"the model takes {most} tokens at most, {tokens} were asked for");
        // A prompt alone, or a whole batch: never both at a time.
        var blocks = Math.Max(Blocks(prompt), (long)bench.Batches.DefaultIfEmpty(1).Max() * Blocks(row));
        if (blocks * options.BlockTokens > model.Memory.CacheTokens)
        {
            throw new UsageException($"--prompt, --batch, --context: expected at most {model.Memory.CacheTokens} tokens in the cache, for which " +
                $"there is memory, found {blocks * options.BlockTokens}");
        }
        return new((int)blocks, options.BlockTokens, model.Memory.CacheType);

        int Blocks(int count) => (count + options.BlockTokens - 1) / options.BlockTokens;
    }

    private static MachineFacts Facts(MachineLimits limits, List<double> speeds, List<double> rates) =>
        new(limits.Description, limits.MemoryName, Median(speeds), limits.ProductsName, Median(rates));

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN
            : sorted.Length % 2 == 1 ? sorted[sorted.Length / 2]
            : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
