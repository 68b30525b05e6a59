using Quilt.Formats;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Execution;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime;

/// <summary>The steps that loading ends with: nobody sees anything of them but that what runs is compiled.</summary>
public sealed class WarmUpTests
{
    private static readonly int[] Prompt = [.. Enumerable.Range(20, 33)];
    private TinyFolder folder = null!;

    [OneTimeSetUp]
    public void Write() => folder = new TinyFolder();

    [OneTimeTearDown]
    public void Delete() => folder.Dispose();

    [Test]
    public async Task Changes_no_bit_of_a_reply([Values] bool int8, [Values(KvType.Float32, KvType.BFloat16)] KvType cache)
    {
        var options = new EngineOptions { Threads = 2, Activations = int8 ? Activations.Int8 : Activations.Float, KvType = cache };
        var cold = await Reply(options with { WarmUp = false });
        Assert.That(await Reply(options), Is.EqualTo(cold));
        Assert.That(cold, Has.Length.EqualTo(24));
    }

    [Test]
    public async Task Leaves_the_cache_as_it_was()
    {
        await using var engine = await Engine.OpenAsync(folder.Path, new EngineOptions { Threads = 1 });
        var now = engine.Snapshot();
        Assert.That((engine.Core.Blocks.Free, now.BlocksCached, now.Running, now.Waiting), Is.EqualTo((engine.Core.Blocks.Blocks, 0, 0, 0)));
        // Whoever found what it computed would begin with the same token as it.
        var generation = engine.Generate([.. new int[40]], new SamplingOptions { Temperature = 0, MaxTokens = 1 });
        await foreach (var _ in generation) { }
        Assert.That(generation.Stats.CachedTokens, Is.Zero);
    }

    [Test]
    public async Task Runs_in_an_engine_whose_steps_and_sequences_are_as_short_as_may_be([Values(1, 2, 4)] int tokens)
    {
        var options = new EngineOptions { Threads = 1, MaxSequences = 1, MaxBatchedTokens = tokens, MaxModelTokens = tokens + 1, BlockTokens = 1 };
        await using var engine = await Engine.OpenAsync(folder.Path, options);
        Assert.That(engine.MaxTokens, Is.EqualTo(tokens + 1));
    }

    [Test]
    public void Stops_when_loading_is_cancelled()
    {
        var options = new EngineOptions { Threads = 1 };
        using var model = LoadedModel.Open(folder.Path, options, null, default);
        Assert.That(() => WarmUp.Run(model, options, new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());
    }

    private async Task<(int, float)[]> Reply(EngineOptions options)
    {
        await using var engine = await Engine.OpenAsync(folder.Path, options);
        var sampling = new SamplingOptions { Seed = 3, MaxTokens = 24, IgnoreEos = true, LogProbabilities = true };
        var pieces = new List<(int, float)>();
        await foreach (var piece in engine.Generate(Prompt, sampling)) pieces.Add((piece.Id, piece.LogProbability));
        return [.. pieces];
    }
}
