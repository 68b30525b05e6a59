using Quilt.Formats;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;
using Quilt.Tests.Kernels;
using Quilt.Tests.Runtime.Models;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime;

/// <summary>The engine on a tiny mixed-precision model that the test writes itself: what a request gets depends on nothing but the request.</summary>
public sealed class EngineTests
{
    private static readonly SamplingOptions Greedy = new() { Temperature = 0, MaxTokens = 24, IgnoreEos = true };
    private static readonly int[][] Prompts = [[5], [7, 9, 11], [.. Enumerable.Range(20, 33)], [.. Enumerable.Range(0, 70).Select(i => i * 37 % 300)],
        [7, 9, 11, 12]];
    private TinyFolder folder = null!;
    private int[][] expected = [];

    [OneTimeSetUp]
    public async Task Write()
    {
        folder = new TinyFolder();
        await using var engine = Open();
        expected = new int[Prompts.Length][];
        for (var p = 0; p < Prompts.Length; p++) expected[p] = await Ids(engine.Generate(Prompts[p], Greedy));
    }

    [OneTimeTearDown]
    public void Delete() => folder.Dispose();

    [Test]
    public void The_model_says_different_things_to_different_prompts() =>
        Assert.That(expected.Select(ids => string.Join(' ', ids)).Distinct().Count(), Is.EqualTo(Prompts.Length));

    [Test]
    public void A_batch_and_chunks_give_the_bits_of_each_prompt_alone_and_whole(
        [ValueSource(typeof(Target), nameof(Target.Isas))] Isa isa, [Values(1, 7, 512)] int chunk)
    {
        using var model = LoadedModel.Open(folder.Path, new EngineOptions { Isa = isa, Threads = 2 }, null, default);
        var batch = BatchRun.Logits(model.Decoder, Prompts, chunk, isa: isa);
        for (var p = 0; p < Prompts.Length; p++)
        {
            var whole = PromptRun.Trace(model, Prompts[p]).Logits;
            var chunked = PromptRun.Trace(model, Prompts[p], stepTokens: chunk).Logits;
            Assert.That(whole.All(float.IsFinite), Is.True);
            Assert.That(Bits(chunked), Is.EqualTo(Bits(whole)), $"prompt {p} in chunks");
            Assert.That(Bits(batch[p]), Is.EqualTo(Bits(whole)), $"prompt {p} in a batch");
        }
    }

    [Test]
    public async Task Continues_the_same_in_steps_of_any_size_and_in_any_company([Values(1, 7, 512)] int stepTokens,
        [Values(1, 5, 16)] int blockTokens)
    {
        await using var engine = Open(new EngineOptions { MaxBatchedTokens = stepTokens, BlockTokens = blockTokens, Threads = 2 });
        for (var p = 0; p < Prompts.Length; p++)
            Assert.That(await Ids(engine.Generate(Prompts[p], Greedy)), Is.EqualTo(expected[p]), $"prompt {p} alone");
        var together = Enumerable.Range(0, 3).SelectMany(_ => Prompts.Select(prompt => engine.Generate(prompt, Greedy))).ToArray();
        for (var i = 0; i < together.Length; i++)
            Assert.That(await Ids(together[i]), Is.EqualTo(expected[i % Prompts.Length]), $"request {i} of {together.Length}");
    }

    [Test]
    public async Task A_small_cache_preempts_and_gives_the_same_tokens()
    {
        // 8 blocks of 16 tokens: the longest request alone takes 6 of them.
        await using var engine = Open(new EngineOptions { KvMemory = 8 * 16 * BytesPerToken, KvType = KvType.Float32, Threads = 1 });
        Assert.That(engine.MaxTokens, Is.EqualTo(8 * 16));
        var requests = Enumerable.Range(0, 4).SelectMany(_ => Prompts.Select(prompt => engine.Generate(prompt, Greedy))).ToArray();
        for (var i = 0; i < requests.Length; i++) Assert.That(await Ids(requests[i]), Is.EqualTo(expected[i % Prompts.Length]), $"request {i}");
        Assert.That(engine.Core.Scheduler.Preemptions, Is.GreaterThan(0));
        CheckIsIdle(engine);
    }

    [Test]
    public async Task Cancelling_ends_the_stream_and_frees_the_cache()
    {
        await using var engine = Open();
        for (var attempt = 0; ; attempt++)
        {
            var running = engine.Generate(Prompts[3], Greedy with { MaxTokens = null });
            var other = engine.Generate(Prompts[1], Greedy);
            var seen = 0;
            await foreach (var piece in running)
            {
                if (++seen == 3) running.Cancel();
            }
            Assert.That(await Ids(other), Is.EqualTo(expected[1]));
            CheckIsIdle(engine);
            // On a busy machine the model may be at its end before the third piece is read.
            if (running.FinishReason == FinishReason.Length && attempt < 50) continue;
            Assert.That(running.FinishReason, Is.EqualTo(FinishReason.Cancelled));
            Assert.That(seen, Is.InRange(3, MaxOutput));
            break;
        }
    }

    [Test]
    public async Task Leaving_the_enumeration_ends_the_request()
    {
        // Slow, so that the request has not ended by itself before its reader leaves; on a busy machine it may still have, and another is made.
        await using var engine = Open(new EngineOptions { Isa = Isa.Reference, Threads = 1 });
        for (var attempt = 0; ; attempt++)
        {
            var left = engine.Generate(Prompts[0], Greedy with { MaxTokens = null });
            await foreach (var piece in left) break;
            Assert.That(await Ids(engine.Generate(Prompts[1], Greedy)), Has.Length.EqualTo(Greedy.MaxTokens));
            CheckIsIdle(engine);
            if (left.FinishReason == FinishReason.Length && attempt < 20) continue;
            Assert.That(left.FinishReason, Is.EqualTo(FinishReason.Cancelled));
            break;
        }
    }

    [Test]
    public async Task A_token_source_cancels_before_the_first_token_too()
    {
        await using var engine = Open();
        using var source = new CancellationTokenSource();
        await source.CancelAsync();
        var cancelled = engine.Generate(Prompts[0], Greedy, source.Token);
        Assert.That(await Ids(cancelled), Is.Empty);
        Assert.That(cancelled.FinishReason, Is.EqualTo(FinishReason.Cancelled));
    }

    [Test]
    public async Task A_prompt_that_cannot_be_run_is_refused()
    {
        await using var engine = Open();
        Assert.That(() => engine.Generate(new int[TinyMiniMax.MaxPositions], Greedy),
            Throws.TypeOf<BadInputException>().With.Message.Contains($"fewer than {TinyMiniMax.MaxPositions}"));
        Assert.That(() => engine.Generate(Array.Empty<int>(), Greedy), Throws.TypeOf<BadInputException>());
        Assert.That(() => engine.Generate([3, 300], Greedy), Throws.TypeOf<BadInputException>().With.Message.Contains("300"));
        Assert.That(() => engine.Generate([-1], Greedy), Throws.TypeOf<BadInputException>().With.Message.Contains("-1"));
        Assert.That(() => engine.Generate("text", Greedy), Throws.TypeOf<BadInputException>().With.Message.Contains("tokenizer.json"));
        Assert.That(() => engine.Generate(Prompts[0], Greedy with { Temperature = -1 }),
            Throws.TypeOf<ArgumentException>().With.Message.Contains("Temperature"));
    }

    [Test]
    public async Task The_longest_prompt_gets_the_one_token_that_fits()
    {
        await using var engine = Open();
        var generation = engine.Generate([.. Enumerable.Range(0, TinyMiniMax.MaxPositions - 1).Select(i => i % 300)], Greedy);
        Assert.That(await Ids(generation), Has.Length.EqualTo(1));
        Assert.That(generation.FinishReason, Is.EqualTo(FinishReason.Length));
    }

    [Test]
    public async Task A_seed_gives_the_same_tokens_in_any_company()
    {
        var sampled = new SamplingOptions { Temperature = 1, TopP = 0.95, MaxTokens = 40, IgnoreEos = true, Seed = 7 };
        await using var engine = Open(new EngineOptions { Threads = 2 });
        var alone = await Ids(engine.Generate(Prompts[2], sampled));
        var company = Prompts.Select(prompt => engine.Generate(prompt, sampled with { Seed = 99 })).ToArray();
        Assert.That(await Ids(engine.Generate(Prompts[2], sampled)), Is.EqualTo(alone));
        Assert.That(await Ids(company[2]), Is.Not.EqualTo(alone));
    }

    [Test]
    public async Task Nothing_runs_after_Dispose()
    {
        var engine = Open();
        var running = engine.Generate(Prompts[3], Greedy with { MaxTokens = null });
        await engine.DisposeAsync();
        Assert.That((await Ids(running)).Length, Is.LessThan(TinyMiniMax.MaxPositions));
        Assert.That(running.FinishReason, Is.Not.Null);
        Assert.That(() => engine.Generate(Prompts[0], Greedy), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => engine.TraceAsync(Prompts[0]), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(engine.Dispose, Throws.Nothing);
        Assert.That(running.Cancel, Throws.Nothing);
    }

    [Test]
    public async Task Every_request_ends_or_is_refused_while_another_thread_disposes()
    {
        for (var round = 0; round < 20; round++)
        {
            var engine = Open();
            using var started = new Barrier(2);
            var submitting = Task.Factory.StartNew(() =>
            {
                var accepted = new List<Generation>();
                started.SignalAndWait();
                try
                {
                    for (var i = 0; i < 10_000; i++) accepted.Add(engine.Generate(Prompts[1], Greedy));
                }
                catch (ObjectDisposedException)
                {
                }
                foreach (var generation in accepted) generation.Cancel();
                return accepted;
            }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            started.SignalAndWait();
            engine.Dispose();
            foreach (var generation in await submitting)
            {
                Assert.That(await Ids(generation).WaitAsync(TimeSpan.FromSeconds(30)), Has.Length.LessThanOrEqualTo(24));
                Assert.That(generation.FinishReason, Is.Not.Null);
            }
        }
    }

    [Test]
    public async Task Many_threads_may_submit_and_cancel_at_once()
    {
        await using var engine = Open(new EngineOptions { KvMemory = 10 * 16 * BytesPerToken, KvType = KvType.Float32, Threads = 1 });
        await Parallel.ForAsync(0, 60, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (i, _) =>
        {
            var generation = engine.Generate(Prompts[i % Prompts.Length], Greedy, CancellationToken.None);
            if (i % 3 == 0) generation.Cancel();
            var ids = await Ids(generation);
            Assert.That(ids, Is.EqualTo(expected[i % Prompts.Length][..ids.Length]));
            if (i % 3 != 0) Assert.That(ids, Has.Length.EqualTo(Greedy.MaxTokens));
        });
        CheckIsIdle(engine);
    }

    private const int MaxOutput = TinyMiniMax.MaxPositions - 70;

    // 2 layers, keys and values, 2 heads of 16 floats.
    private const long BytesPerToken = 2 * 2 * 2 * 16 * 4;

    private Engine Open(EngineOptions? options = null)
    {
        options ??= new EngineOptions { Threads = 1 };
        return new Engine(LoadedModel.Open(folder.Path, options, null, default), options);
    }

    // A request has left the scheduler when its stream ends.
    private static void CheckIsIdle(Engine engine) =>
        Assert.That((engine.Core.Scheduler.Running, engine.Core.Scheduler.Waiting, engine.Core.Blocks.Free),
            Is.EqualTo((0, 0, engine.Core.Blocks.Blocks)));

    private static async Task<int[]> Ids(Generation generation)
    {
        var ids = new List<int>();
        await foreach (var piece in generation) ids.Add(piece.Id);
        return [.. ids];
    }

    private static uint[] Bits(float[] values) => Array.ConvertAll(values, BitConverter.SingleToUInt32Bits);
}
