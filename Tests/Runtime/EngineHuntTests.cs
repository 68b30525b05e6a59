using Quilt.Formats;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime;

/// <summary>
/// Ten thousand random requests, many at once, of which a tenth fail in some way: refused at the door, failing within, cancelled, left, read twice.
/// Blocks run out all the time, so that sequences are computed again. The others answer, bit for bit, what each answered alone.
/// </summary>
public sealed class EngineHuntTests
{
    private const int Requests = 10_000, Callers = 12, Vocabulary = 300;

    private sealed record Known(int[] Prompt, SamplingOptions Options, (int Id, float LogProbability)[] Answer, GenerationEnd End);

    [Test]
    public async Task A_tenth_of_ten_thousand_requests_fails_and_the_others_answer_as_alone()
    {
        using var folder = new TinyFolder();
        Known[] known;
        await using (var alone = Open(folder, new EngineOptions { Threads = 1, KvType = KvType.Float32, BlockTokens = 32 }))
            known = [.. await Task.WhenAll(Enumerable.Range(0, 60).Select(i => AnswerAlone(alone, new Random(i))))];

        await using var engine = Open(folder, new EngineOptions
        {
            Threads = 1, KvType = KvType.Float32, KvMemory = 220 * TokenBytes(folder), BlockTokens = 16, MaxBatchedTokens = 48,
            MaxSequences = 10, MaxWaiting = 6,
        });
        var (left, answered, failed) = (Requests, 0, 0);
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            var random = new Random(1000 + caller);
            while (Interlocked.Decrement(ref left) >= 0)
            {
                var one = known[random.Next(known.Length)];
                if (random.Next(10) == 0)
                {
                    await Fail(engine, one, random);
                    Interlocked.Increment(ref failed);
                    continue;
                }
                var (answer, end) = await Answer(await Submit(engine, one));
                Assert.That(answer, Is.EqualTo(one.Answer));
                Assert.That((end.Reason, end.StopText, end.StopToken), Is.EqualTo((one.End.Reason, one.End.StopText, one.End.StopToken)));
                Interlocked.Increment(ref answered);
            }
        })));

        TestContext.Out.WriteLine($"{answered} answered as alone, {failed} failed, {engine.Core.Scheduler.Preemptions} sequences computed again");
        Assert.That(answered + failed, Is.EqualTo(Requests));
        Assert.That(failed, Is.InRange(Requests / 12, Requests / 8));
        Assert.That(engine.Core.Scheduler.Preemptions, Is.GreaterThan(0), "blocks were to run out");
        Assert.That(engine.Failure, Is.Null);
        foreach (var one in known) Assert.That((await Answer(engine.Generate(one.Prompt, one.Options))).Answer, Is.EqualTo(one.Answer));
        Assert.That((engine.Core.Scheduler.Running, engine.Core.Blocks.Free), Is.EqualTo((0, engine.Core.Blocks.Blocks)));
    }

    private static async Task<Known> AnswerAlone(Engine engine, Random random)
    {
        var prompt = Enumerable.Range(0, 1 + random.Next(40)).Select(_ => random.Next(Vocabulary)).ToArray();
        var options = new SamplingOptions
        {
            Temperature = random.Next(3) == 0 ? 0 : random.NextDouble() * 2,
            Seed = random.Next(),
            MaxTokens = 1 + random.Next(16),
            IgnoreEos = random.Next(2) == 0,
            TopK = random.Next(2) == 0 ? 0 : 1 + random.Next(50),
            TopP = random.Next(2) == 0 ? 1 : 0.1 + (0.9 * random.NextDouble()),
            MinP = random.Next(4) == 0 ? 0.05 : 0,
            RepetitionPenalty = random.Next(4) == 0 ? 1.2 : 1,
            FrequencyPenalty = random.Next(4) == 0 ? 0.5 : 0,
            LogitBias = random.Next(4) == 0 ? new Dictionary<int, float> { [random.Next(Vocabulary)] = 5 } : [],
            BadWords = random.Next(4) == 0 ? [[random.Next(Vocabulary)], [random.Next(Vocabulary), random.Next(Vocabulary)]] : [],
            AllowedTokens = random.Next(8) == 0 ? [.. Enumerable.Range(0, 20).Select(_ => random.Next(Vocabulary))] : null,
            StopTokens = random.Next(3) == 0 ? [.. Enumerable.Range(0, 20).Select(_ => random.Next(Vocabulary))] : [],
            LogProbabilities = random.Next(2) == 0,
            TopLogProbabilities = random.Next(4) == 0 ? 5 : 0,
        };
        var (answer, end) = await Answer(engine.Generate(prompt, options));
        return new(prompt, options, answer, end);
    }

    /// <summary>One way of failing, which it checks.</summary>
    private static async Task Fail(Engine engine, Known one, Random random)
    {
        switch (random.Next(8))
        {
            case 0:
                Assert.That(() => engine.Generate([.. one.Prompt, Vocabulary + random.Next(1000)], one.Options), Throws.TypeOf<BadInputException>());
                break;
            case 1:
                Assert.That(() => engine.Generate(one.Prompt, one.Options with { TopP = 1.5 }), Throws.ArgumentException);
                break;
            case 2:
                Assert.That(() => engine.Generate(new int[500], one.Options), Throws.TypeOf<BadInputException>());
                break;
            case 3:
                Assert.That(() => engine.Generate(one.Prompt, one.Options with { BadWords = [null!] }), Throws.ArgumentException);
                break;
            case 4:
                var failing = new Generation(one.Prompt, () => { }, CancellationToken.None);
                var options = one.Options with { BadWords = [[]] };
                await Retry(() => engine.Core.Submit((failing, new RequestTerms
                {
                    Sampling = options, EndTokens = [], Room = 100, Reply = new ReplyDecoder(null, null, null, options),
                })));
                Assert.That((await Answer(failing)).End.Error, Is.TypeOf<RequestFailedException>());
                break;
            case 5:
                using (var cancel = new CancellationTokenSource())
                {
                    var endless = one.Options with { MaxTokens = 100, StopTokens = [], IgnoreEos = true };
                    var cancelled = await Submit(engine, one with { Options = endless }, cancel.Token);
                    if (random.Next(2) == 0) await Task.Yield();
                    await cancel.CancelAsync();
                    var (part, end) = await Answer(cancelled);
                    Assert.That(end.Reason, Is.EqualTo(FinishReason.Cancelled).Or.EqualTo(FinishReason.Length));
                    Assert.That(part.Take(one.Answer.Length), Is.EqualTo(one.Answer.Take(part.Length)));
                }
                break;
            case 6:
                await foreach (var piece in await Submit(engine, one))
                {
                    Assert.That(piece.Id, Is.EqualTo(one.Answer[0].Id));
                    break;
                }
                break;
            default:
                var twice = await Submit(engine, one);
                var first = Answer(twice);
                await Assert.ThatAsync(() => Answer(twice), Throws.InvalidOperationException);
                Assert.That((await first).Answer, Is.EqualTo(one.Answer));
                break;
        }
    }

    private static async Task<Generation> Submit(Engine engine, Known one, CancellationToken cancel = default)
    {
        Generation? generation = null;
        await Retry(() => generation = engine.Generate(one.Prompt, one.Options, cancel));
        return generation!;
    }

    private static async Task Retry(Action submit)
    {
        while (true)
        {
            try
            {
                submit();
                return;
            }
            catch (EngineBusyException)
            {
                await Task.Delay(1);
            }
        }
    }

    private static async Task<((int Id, float LogProbability)[] Answer, GenerationEnd End)> Answer(Generation generation)
    {
        var answer = new List<(int, float)>();
        await foreach (var happened in generation.Events())
        {
            if (happened.Token is { } token) answer.Add((token.Id, token.LogProbability));
        }
        return ([.. answer], generation.End!);
    }

    private static long TokenBytes(TinyFolder folder)
    {
        var options = new EngineOptions { Threads = 1, KvType = KvType.Float32 };
        using var engine = Open(folder, options);
        return engine.Memory.TokenBytes;
    }

    private static Engine Open(TinyFolder folder, EngineOptions options) => new(LoadedModel.Open(folder.Path, options, null, default), options);
}
