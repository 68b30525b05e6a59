using System.Diagnostics;
using Quilt.Kernels.Devices;
using Quilt.Runtime;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Kv;

namespace Quilt.Cli.Bench;

/// <summary>
/// Measures a model beside the machine's limits. Limits and cases take turns, so that what else the machine does meets all of them; a share is
/// one of the best that the run found of a limit.
/// </summary>
internal static class ModelBench
{
    /// <summary>The limits alone.</summary>
    public static BenchResult Limits(EngineOptions options, int repetitions, CancellationToken cancel)
    {
        options.Validate();
        using var device = options.OpenDevice();
        using var limits = MachineLimits.Of(device, options.Activations);
        for (var i = 0; i <= repetitions; i++)
        {
            cancel.ThrowIfCancellationRequested();
            foreach (var limit in limits.All) limit.Measure();
            if (i == 0) limits.Forget();
        }
        return new BenchResult(null, Facts(limits), [], [], [], []);
    }

    /// <summary>The model's speeds, and the limits.</summary>
    public static BenchResult Run(Func<EngineOptions, BenchModel> open, EngineOptions options, BenchOptions bench, CancellationToken cancel)
    {
        options.Validate();
        if (bench.Profile && options.TensorParallel > 1)
            throw new UsageException($"--profile: expected one device, found --tensor-parallel-size {options.TensorParallel}");
        if (bench.Profile && options.Device != "cpu")
        {
            throw new UsageException($"--profile: expected cpu as --device, found {options.Device}; the steps of a GPU are seen by its " +
                "vendor's profiler");
        }
        var start = Stopwatch.GetTimestamp();
        using var model = open(options);
        var loadSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        using var limits = MachineLimits.Of(model.Device, options.Activations);
        using var executor = model.NewExecutor(Cache(model, options, bench), options.Activations);
        var runner = new ModelRunner(executor, new StepCost(model.Decoder.Spec, model.Decoder.Weights), options.BatchedTokens,
            bench.Sampling(model.Sampling));

        var cachedRunner = new CachedRunner(executor);

        var cached = bench.Cached.Select(_ => new List<(double Find, double Read)>()).ToArray();
        var prompts = bench.Prompts.Select(_ => new List<double>()).ToArray();
        var batches = bench.Batches.Select(_ => new List<DecodeRun>()).ToArray();
        // The first round compiles and warms up.
        for (var round = 0; round <= bench.Repetitions; round++)
        {
            for (var i = 0; i < prompts.Length; i++)
            {
                cancel.ThrowIfCancellationRequested();
                limits.Products.Measure();
                prompts[i].Add(bench.Prompts[i] / runner.Prefill(bench.Prompts[i]));
            }
            for (var i = 0; i < cached.Length; i++) cached[i].Add(cachedRunner.Run(bench.Cached[i]));
            for (var i = 0; i < batches.Length; i++)
            {
                cancel.ThrowIfCancellationRequested();
                limits.Products.Measure();
                limits.Memory.Measure();
                batches[i].Add(runner.Decode(bench.Batches[i], bench.Context, bench.Steps));
            }
            if (round > 0) continue;
            limits.Forget();
            foreach (var list in prompts) list.Clear();
            foreach (var list in cached) list.Clear();
            foreach (var list in batches) list.Clear();
        }

        var profiles = bench.Profile
            ? Profiles(new StepProfiler((Executor)executor, (CpuDevice)model.Device, model.Decoder.Weights), runner, bench)
            : [];
        var facts = new ModelFacts(model.Name, options.Activations.ToString().ToLowerInvariant(), model.Decoder.Weights.Bytes, loadSeconds,
            Environment.WorkingSet - limits.HostBytes);
        return new BenchResult(facts, Facts(limits),
            [.. bench.Prompts.Zip(prompts, (tokens, found) => Prefill(tokens, found, runner.PrefillOperations(tokens), limits))],
            [.. bench.Cached.Zip(cached, (tokens, found) => new CachedResult(tokens,
                Samples.Median(found.Select(f => tokens / f.Find)), Samples.Median(found.Select(f => tokens / f.Read))))],
            [.. bench.Batches.Zip(batches, (batch, found) => Decode(batch, bench, found, runner.DecodeOperations(batch), limits))],
            profiles);
    }

    private static List<ProfileResult> Profiles(StepProfiler profiler, ModelRunner runner, BenchOptions bench) =>
    [
        .. bench.Prompts.Select(tokens => profiler.Run($"prefill {tokens}", bench.Repetitions, profile => runner.Prefill(tokens, profile))),
        .. bench.Batches.Select(batch => profiler.Run($"decode {batch}", bench.Repetitions,
            profile => runner.Decode(batch, bench.Context, bench.Steps, profile))),
    ];

    private static PrefillResult Prefill(int tokens, List<double> found, double operations, MachineLimits limits)
    {
        var rate = Rate.Of(found);
        var each = operations / tokens / 1e9;
        return new(tokens, rate, each * rate.Median, rate.Over(limits.Products.Best / each));
    }

    private static DecodeResult Decode(int batch, BenchOptions bench, List<DecodeRun> found, double operations, MachineLimits limits)
    {
        var bytes = found.Average(run => run.StepBytes);
        return new(batch, bench.Context, Rate.Of([.. found.Select(run => batch * bench.Steps / run.Seconds)]), bytes, operations,
            batch * limits.Memory.Best * 1e9 / bytes, batch * limits.Products.Best * 1e9 / operations,
            Samples.Median(found.Select(run => run.ChoosingSeconds / (run.Seconds + run.ChoosingSeconds))));
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

    private static MachineFacts Facts(MachineLimits limits) =>
        new(limits.Description, limits.Memory.Name, limits.Products.Name, [.. limits.All.Select(limit => limit.Facts).OfType<LimitFacts>()]);
}
