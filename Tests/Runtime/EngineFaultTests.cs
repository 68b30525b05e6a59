using System.Collections;
using Quilt.Formats;
using Quilt.Formats.Tokenizers;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime;

/// <summary>What goes wrong costs its own caller, and nobody else anything.</summary>
public sealed class EngineFaultTests
{
    private static readonly SamplingOptions Greedy = new() { Temperature = 0, MaxTokens = 24, IgnoreEos = true };
    private static readonly int[] Prompt = [7, 9, 11];
    private TinyFolder folder = null!;
    private int[] expected = [];

    [OneTimeSetUp]
    public async Task Write()
    {
        folder = new TinyFolder();
        await using var engine = Open();
        expected = await Ids(engine.Generate(Prompt, Greedy));
    }

    [OneTimeTearDown]
    public void Delete() => folder.Dispose();

    [Test]
    public async Task Collections_of_options_may_change_while_a_request_runs()
    {
        await using var engine = Open();
        var bias = new Dictionary<int, float> { [3] = 1 };
        var options = new SamplingOptions
        {
            Seed = 1, MaxTokens = 100, IgnoreEos = true, LogitBias = bias, Stop = new List<string> { "x" }, StopTokens = new List<int> { 299 },
            BadWords = new List<int[]> { new[] { 4 } }, AllowedTokens = new HashSet<int> { 5, 6, 7, 8 },
        };
        var alone = await Ids(engine.Generate(Prompt, options));
        var running = Enumerable.Range(0, 8).Select(_ => engine.Generate(Prompt, options)).ToArray();
        var others = Enumerable.Range(0, 4).Select(_ => engine.Generate(Prompt, Greedy)).ToArray();
        for (var i = 0; i < 1000; i++)
        {
            bias[i] = 100;
            ((List<string>)options.Stop).Add("y");
            ((List<int>)options.StopTokens).Add(i);
            ((List<int[]>)options.BadWords).Insert(0, [i, i + 1]);
            ((HashSet<int>)options.AllowedTokens).Add(i);
        }
        foreach (var generation in running) Assert.That(await Ids(generation), Is.EqualTo(alone));
        foreach (var generation in others) Assert.That(await Ids(generation), Is.EqualTo(expected));
        Assert.That(engine.Failure, Is.Null);
    }

    [Test]
    public async Task A_prompt_that_says_something_else_when_it_is_read_again_is_read_once()
    {
        await using var engine = Open();
        var generation = engine.Generate(new Fickle(Prompt, [999_999, -5, 1 << 30]), Greedy);
        Assert.That(generation.PromptIds, Is.EqualTo(Prompt));
        Assert.That(await Ids(generation), Is.EqualTo(expected));
        Assert.That(() => engine.Generate(new Fickle([999_999, 1, 2], Prompt), Greedy), Throws.TypeOf<BadInputException>());
        Assert.That(() => engine.Generate(new Fickle([.. Enumerable.Repeat(1, 5000)], Prompt), Greedy), Throws.TypeOf<BadInputException>());
    }

    [Test]
    public async Task What_fails_in_a_request_s_own_part_ends_that_request_with_the_reason()
    {
        await using var engine = Open();
        var others = Enumerable.Range(0, 4).Select(_ => engine.Generate(Prompt, Greedy)).ToArray();
        var failing = Enumerable.Range(0, 4).Select(_ => Failing(engine)).ToArray();
        foreach (var generation in failing)
        {
            var happened = new List<GenerationEvent>();
            await foreach (var e in generation.Events()) happened.Add(e);
            Assert.That(happened[^1].End, Is.SameAs(generation.End));
            Assert.That(generation.FinishReason, Is.EqualTo(FinishReason.Error));
            Assert.That(generation.End!.Error, Is.TypeOf<RequestFailedException>().With.InnerException.InstanceOf<ArgumentOutOfRangeException>());
        }
        foreach (var generation in others) Assert.That(await Ids(generation), Is.EqualTo(expected));
        Assert.That(engine.Failure, Is.Null);
        Assert.That((engine.Core.Scheduler.Running, engine.Core.Blocks.Free), Is.EqualTo((0, engine.Core.Blocks.Blocks)));
    }

    [Test]
    public async Task Views_throw_what_failed_in_a_request()
    {
        await using var engine = Open();
        await Assert.ThatAsync(() => Failing(engine).ReadToEndAsync(), Throws.TypeOf<RequestFailedException>());
        await Assert.ThatAsync(() => Ids(Failing(engine)), Throws.TypeOf<RequestFailedException>());
    }

    [Test]
    public async Task A_step_that_fails_ends_the_engine_and_everybody_hears_why()
    {
        var options = new EngineOptions { Threads = 2 };
        var model = LoadedModel.Open(folder.Path, options, null, default);
        await using var engine = new Engine(model, options);
        using var taken = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        // Somebody else has the threads that a step needs.
        var other = Task.Factory.StartNew(() =>
        {
            var job = new Block(taken, release);
            ((CpuDevice)model.Device).Pool.Run(2, ref job);
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        taken.Wait();
        var running = Enumerable.Range(0, 3).Select(_ => Submit(engine)).OfType<Generation>().ToArray();
        Assert.That(running, Is.Not.Empty);
        foreach (var generation in running)
        {
            GenerationEnd? end = null;
            await foreach (var happened in generation.Events()) end = happened.End ?? end;
            Assert.That(end!.Reason, Is.EqualTo(FinishReason.Error));
            Assert.That(end.Error, Is.TypeOf<EngineFailedException>().With.InnerException.SameAs(engine.Failure));
        }
        Assert.That(() => engine.Generate(Prompt, Greedy), Throws.TypeOf<EngineFailedException>());
        Assert.That(() => engine.TraceAsync(Prompt), Throws.TypeOf<EngineFailedException>());
        release.Set();
        await other;

        static Generation? Submit(Engine engine)
        {
            try
            {
                return engine.Generate([.. Enumerable.Range(0, 200)], Greedy);
            }
            catch (EngineFailedException)
            {
                return null;
            }
        }
    }

    [Test]
    public async Task No_more_requests_wait_than_may_and_when_some_are_done_others_come_in()
    {
        await using var engine = Open(new EngineOptions { Isa = Isa.Reference, Threads = 1, MaxSequences = 2, MaxWaiting = 3 });
        var held = Enumerable.Range(0, 5).Select(_ => engine.Generate(Prompt, Greedy)).ToArray();
        var refused = Assert.Throws<EngineBusyException>(() => engine.Generate(Prompt, Greedy))!;
        Assert.That(refused.Message, Does.Contain("2 running and 3 waiting").And.Contain("MaxWaiting"));
        held[4].Cancel();
        foreach (var generation in held) await Ids(generation);
        Assert.That(await Ids(engine.Generate(Prompt, Greedy)), Has.Length.EqualTo(24));
    }

    [Test]
    public async Task A_refused_request_takes_no_place()
    {
        await using var engine = Open(new EngineOptions { Threads = 1, MaxSequences = 1, MaxWaiting = 0 });
        for (var i = 0; i < 10; i++)
        {
            Assert.That(() => engine.Generate([999_999], Greedy), Throws.TypeOf<BadInputException>());
            Assert.That(() => engine.Generate(Prompt, Greedy with { TopP = 7 }), Throws.ArgumentException);
            Assert.That(() => engine.Generate(Prompt, Greedy with { Stop = null! }), Throws.ArgumentException.With.Message.StartsWith("Stop:"));
        }
        Assert.That(await Ids(engine.Generate(Prompt, Greedy)), Is.EqualTo(expected));
    }

    [Test]
    public void Any_number_of_threads_may_dispose_at_once()
    {
        for (var round = 0; round < 20; round++)
        {
            var engine = Open();
            var running = engine.Generate(Prompt, Greedy with { MaxTokens = null });
            Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
            {
                engine.Dispose();
                Assert.That(running.FinishReason, Is.Not.Null, "whoever comes second waits for the first");
            });
        }
    }

    [Test]
    public async Task One_reader_reads_and_all_others_are_told()
    {
        await using var engine = Open();
        for (var round = 0; round < 20; round++)
        {
            var generation = engine.Generate(Prompt, Greedy);
            var readers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Factory.StartNew(async () =>
            {
                try
                {
                    if (i % 3 == 0) return (await Ids(generation)).Length;
                    var count = 0;
                    if (i % 3 == 1) await foreach (var e in generation.Events()) count += e.Token is null ? 0 : 1;
                    else await foreach (var part in generation.Replies()) count++;
                    return i % 3 == 1 ? count : Greedy.MaxTokens!.Value;
                }
                catch (InvalidOperationException told) when (told.Message.Contains("by one reader", StringComparison.Ordinal))
                {
                    return -1;
                }
            }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()));
            Assert.That(readers.Where(count => count >= 0), Is.EqualTo(new[] { 24 }));
        }
    }

    [Test]
    public void A_text_of_too_many_tokens_is_not_tokenized_to_its_end()
    {
        var tokenizer = Tokenizer.Open(TinyMiniMax.Demo);
        var text = string.Concat(Enumerable.Range(0, 100_000).Select(i => $"word{i} "));
        var whole = new EncodingWorker(tokenizer.Parts);
        Assert.That(whole.TryEncode(text, addSpecialTokens: false, int.MaxValue), Is.True);
        var cut = new EncodingWorker(tokenizer.Parts);
        Assert.That(cut.TryEncode(text, addSpecialTokens: false, 100), Is.False);
        Assert.That(cut.Ids, Has.Count.LessThan(200));
        Assert.That(whole.TryEncode("The capital", addSpecialTokens: false, 100), Is.True);
        Assert.That(whole.Ids, Is.EqualTo(tokenizer.Encode("The capital")));

        Assert.That(tokenizer.TryEncode("The capital of France", 100, out var ids), Is.True);
        Assert.That(ids, Is.EqualTo(tokenizer.Encode("The capital of France")));
        Assert.That(tokenizer.TryEncode("The capital of France", ids.Length - 1, out _), Is.False);
        Assert.That(tokenizer.TryEncode(new string('x', 200 << 20), 100, out _), Is.False);
    }

    // Past the door, which would not let it in: sampling fails on a forbidden word without a token.
    private static Generation Failing(Engine engine)
    {
        var generation = new Generation(Prompt, () => { }, CancellationToken.None);
        var options = Greedy with { BadWords = [[]] };
        engine.Core.Submit((generation, new RequestTerms
        {
            Sampling = options, EndTokens = [], Room = 100, Reply = new ReplyDecoder(null, null, null, options),
        }));
        return generation;
    }

    private Engine Open(EngineOptions? options = null)
    {
        options ??= new EngineOptions { Threads = 1, KvType = KvType.Float32 };
        return new Engine(LoadedModel.Open(folder.Path, options, null, default), options);
    }

    private static async Task<int[]> Ids(Generation generation)
    {
        var ids = new List<int>();
        await foreach (var piece in generation) ids.Add(piece.Id);
        return [.. ids];
    }

    private readonly struct Block(ManualResetEventSlim taken, ManualResetEventSlim release) : IJob
    {
        public void Execute(int item)
        {
            taken.Set();
            release.Wait();
        }
    }

    /// <summary>A list that holds one thing when it is enumerated for the first time, and another ever after.</summary>
    private sealed class Fickle(int[] first, int[] later) : IReadOnlyList<int>
    {
        private int times;

        public int Count => times == 0 ? first.Length : later.Length;

        public int this[int index] => later[index];

        public IEnumerator<int> GetEnumerator() => ((IEnumerable<int>)(times++ == 0 ? first : later)).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
