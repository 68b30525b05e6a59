using System.Text.Json;
using Quilt.Formats;
using Quilt.Formats.Grammars;
using Quilt.Runtime;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;
using Sequence = Quilt.Runtime.Scheduling.Sequence;

namespace Quilt.Tests.Runtime.Scheduling;

/// <summary>Behaviours that another engine's tests ask for, in prose: each is played here by its name.</summary>
[Category("Conformance")]
public sealed class SchedulerBehaviourTests
{
    private static readonly Dictionary<string, Func<Task>> Plays = new()
    {
        ["reset_prefix_cache_busy"] = ResetWhileBusy,
        ["prefix_query_counted_once"] = () => CountsOnce(prompt: 32, cached: 0, refusals: 3),
        ["retried_allocation_counted_once"] = () => CountsOnce(prompt: 48, cached: 32, refusals: 1),
        ["preempted_requery_counted_separately"] = CountsPreemptedApart,
        ["abort_waiting"] = AbortWaiting,
        ["grammar_compile_error"] = RefuseGrammar,
        ["grammar_waiting_does_not_block"] = CompileBesideOthers,
        ["grammar_cannot_advance"] = LeaveGrammar,
    };

    private static readonly Dictionary<string, string> Elsewhere = new()
    {
        ["remote_kv_async_load"] = "The cache has one tier so far: nothing is loaded from elsewhere.",
    };

    public static IEnumerable<TestCaseData> Behaviours() => Cases.OfKind("scheduler_behaviour");

    [TestCaseSource(nameof(Behaviours))]
    public async Task Behaves_as_asked_for(JsonElement? test)
    {
        var name = Cases.Given(test).GetProperty("name").GetString()!;
        if (Elsewhere.TryGetValue(name, out var why)) Assert.Ignore(why);
        if (!Plays.TryGetValue(name, out var play)) Assert.Ignore($"{name}: {test!.Value.GetProperty("scenario")} is played by no test.");
        await play!();
    }

    private static Task ResetWhileBusy()
    {
        var (scheduler, pool) = Make(blocks: 40);
        var sequences = Enumerable.Range(0, 10).Select(i => new Sequence([.. Enumerable.Range(i, 20)])).ToArray();
        foreach (var sequence in sequences) scheduler.Submit(sequence);
        Run(scheduler);
        var (free, found) = (pool.Free, pool.Prefixes.Count);
        Assert.That(scheduler.TryForgetPrefixes(restartRunning: false), Is.False);
        Assert.That((scheduler.Running, pool.Free, pool.Prefixes.Count), Is.EqualTo((10, free, found)), "nothing has changed");

        Assert.That(scheduler.TryForgetPrefixes(restartRunning: true), Is.True);
        Assert.That((scheduler.Running, pool.Free, pool.Prefixes.Count), Is.EqualTo((0, pool.Blocks, 0)));
        Assert.That(scheduler.WaitingSequences, Is.EqualTo(sequences), "in their order");
        return Task.CompletedTask;
    }

    /// <summary>A request that finds no room a few times, beside one that holds most of the cache.</summary>
    private static Task CountsOnce(int prompt, int cached, int refusals)
    {
        var (scheduler, pool) = Make(blocks: 8);
        if (cached > 0)
        {
            var before = new Sequence([.. Enumerable.Range(0, cached + 1)]);
            scheduler.Submit(before);
            Run(scheduler);
            scheduler.Remove(before);
        }
        var (requests, queries) = (scheduler.Prefixes.Requests, scheduler.Prefixes.Queries);
        var holder = new List<int>();
        pool.TryAllocate(pool.Free - (cached / 16), holder);
        var late = new Sequence([.. Enumerable.Range(0, prompt)]);
        scheduler.Submit(late);
        for (var i = 0; i < refusals; i++) Assert.That(scheduler.TryPlan(out _), Is.False);
        pool.Release(holder);
        Run(scheduler);
        Assert.That((scheduler.Prefixes.Requests - requests, scheduler.Prefixes.Queries - queries, scheduler.Prefixes.Hits),
            Is.EqualTo((1L, (long)prompt, (long)cached)));
        return Task.CompletedTask;
    }

    private static Task CountsPreemptedApart()
    {
        var (scheduler, _) = Make(blocks: 6);
        var (old, young) = (new Sequence([.. Enumerable.Range(0, 48)]), new Sequence([.. Enumerable.Range(100, 48)]));
        scheduler.Submit(old);
        scheduler.Submit(young);
        Run(scheduler);
        old.Tokens.Add(7);
        young.Tokens.Add(7);
        Run(scheduler);
        Assert.That((scheduler.Preemptions, young.WasPreempted), Is.EqualTo((1L, true)));
        scheduler.Remove(old);
        Run(scheduler);
        var seen = scheduler.Prefixes;
        Assert.That((seen.Requests, seen.Queries, seen.Hits), Is.EqualTo((2L, 96L, 0L)));
        Assert.That((seen.PreemptedRequests, seen.PreemptedQueries), Is.EqualTo((1L, 49L)));
        Assert.That(seen.PreemptedHits, Is.GreaterThan(0), "its own blocks, of which one was taken");
        return Task.CompletedTask;
    }

    private static Task AbortWaiting()
    {
        var (scheduler, pool) = Make(blocks: 40);
        var sequences = Enumerable.Range(0, 10).Select(i => new Sequence([i, 1])).ToArray();
        foreach (var sequence in sequences) scheduler.Submit(sequence);
        foreach (var (i, sequence) in sequences.OrderBy(s => s.Tokens[0] * 7 % 10).Index())
        {
            scheduler.Remove(sequence);
            Assert.That(scheduler.Waiting, Is.EqualTo(9 - i));
            Assert.That(scheduler.WaitingSequences, Does.Not.Contain(sequence));
        }
        Assert.That((scheduler.TryPlan(out _), pool.Free), Is.EqualTo((false, pool.Blocks)));
        return Task.CompletedTask;
    }

    /// <summary>Grammars are compiled at the door: a bad one never gets in, and nobody is behind it.</summary>
    private static async Task RefuseGrammar()
    {
        await using var engine = await Demo();
        var bad = new GenerationRequest { Text = "x", Output = StructuredOutput.Regex("(") };
        Assert.That(() => engine.Submit(bad), Throws.TypeOf<BadInputException>());
        var good = engine.Generate("Once", new SamplingOptions { MaxTokens = 3, IgnoreEos = true });
        await good.ReadToEndAsync();
        Assert.That((good.FinishReason, engine.Snapshot().Finished), Is.EqualTo((FinishReason.Length, 1L)));
    }

    /// <summary>While one caller's grammar is compiled, on that caller's thread, another's request runs.</summary>
    private static async Task CompileBesideOthers()
    {
        await using var engine = await Demo();
        var large = StructuredOutput.Choice([.. Enumerable.Range(0, 50_000).Select(i => $"choice {i * 7919L}")]);
        var compiled = Task.Run(() => engine.Submit(new GenerationRequest { Text = "x", Output = large, Sampling = new() { MaxTokens = 40 } })[0]);
        var other = engine.Generate("Once", new SamplingOptions { MaxTokens = 3, IgnoreEos = true });
        await other.ReadToEndAsync();
        Assert.That(other.FinishReason, Is.EqualTo(FinishReason.Length));
        Assert.That(await (await compiled).ReadToEndAsync(), Does.StartWith("c"));
    }

    private static async Task LeaveGrammar()
    {
        await using var engine = await Demo();
        var options = new SamplingOptions { MaxTokens = 5 };
        var vocabulary = new GrammarVocabulary(engine.Tokenizer!, []);
        var matcher = new CompiledGrammar(Grammar.Choice(["yes"]), vocabulary).Match();
        var generation = new Generation([1], () => { }, CancellationToken.None);
        var request = new Request();
        request.Begin(generation, new RequestTerms
        {
            Sampling = options, EndTokens = [], Room = 10, Reply = new ReplyDecoder(engine.Tokenizer, null, null, options),
            Grammar = new ReplyGrammar(matcher, thinkingBegin: -1),
        });
        var wrong = engine.Tokenizer!.Encode("no")[0];
        request.Accept(new TokenChoice(wrong, float.NaN, []));
        Assert.That(request.Finished, Is.EqualTo(FinishReason.Error));
        request.Finish(FinishReason.Error);
        var heard = new List<GenerationEvent>();
        await foreach (var happened in generation.Events()) heard.Add(happened);
        Assert.That(heard[0].Token!.Value.Id, Is.EqualTo(wrong), "the token is delivered");
        Assert.That((heard[^1].End!.Reason, heard[^1].End!.StopText, heard[^1].End!.StopToken),
            Is.EqualTo((FinishReason.Error, (string?)null, (int?)null)));
    }

    private static Task<Engine> Demo() => Engine.OpenAsync(TinyModels.TinyMiniMax.Demo, new EngineOptions { Threads = 1 });

    private static (Scheduler Scheduler, KvBlockPool Pool) Make(int blocks)
    {
        var pool = new KvBlockPool(blocks, 16);
        return (new Scheduler(pool, new SchedulerOptions { MaxBatchedTokens = 1024, MaxSequences = 16, PrefixCaching = true }), pool);
    }

    private static void Run(Scheduler scheduler)
    {
        Assert.That(scheduler.TryPlan(out var plan), Is.True);
        scheduler.Return(plan);
    }
}
