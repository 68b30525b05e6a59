using Quilt.Formats;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Quilt.Runtime.Sampling;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime;

/// <summary>What a request can ask for beside how tokens are chosen.</summary>
public sealed class EngineRequestTests
{
    private static readonly SamplingOptions Greedy = new() { Temperature = 0, MaxTokens = 8, IgnoreEos = true };
    private static readonly int[] Prompt = [.. Enumerable.Range(0, 40).Select(i => i * 37 % 300)];
    private TinyFolder folder = null!;

    [OneTimeSetUp]
    public void Write() => folder = new TinyFolder(tokenizer: true);

    [OneTimeTearDown]
    public void Delete() => folder.Dispose();

    [Test]
    public async Task A_prompt_s_log_probabilities_are_those_of_its_logits([Values(1, 5, 64)] int sequences)
    {
        // As many rows of logits as sequences: the prompt is read in parts of that size, and the cache gives nothing of it.
        await using var engine = Open(new EngineOptions { Threads = 1, KvType = KvType.Float32, MaxSequences = sequences });
        await Ids(engine.Generate(Prompt, Greedy));
        var trace = await engine.TraceAsync(Prompt);
        var scored = engine.Submit(new GenerationRequest { Tokens = Prompt, Sampling = Greedy, PromptLogProbabilities = 3 })[0];
        await Ids(scored);

        Assert.That(scored.Stats.CachedTokens, Is.Zero);
        Assert.That(scored.PromptScores!.Select(score => score.Id), Is.EqualTo(Prompt));
        Assert.That((scored.PromptScores![0].LogProbability, scored.PromptScores[0].Top.Count), Is.EqualTo((float.NaN, 0)));
        for (var i = 1; i < Prompt.Length; i++)
        {
            var row = trace.Logits.AsSpan((i - 1) * trace.VocabularySize, trace.VocabularySize).ToArray();
            var sum = row.Max() + Math.Log(row.Sum(logit => Math.Exp(logit - row.Max())));
            var score = scored.PromptScores[i];
            Assert.That(score.LogProbability, Is.EqualTo(row[Prompt[i]] - sum).Within(1e-4), $"token {i}");
            Assert.That(score.Top.Select(top => top.Id), Is.EqualTo(row.Index().OrderByDescending(r => r.Item).Take(3).Select(r => r.Index)));
        }
    }

    [Test]
    public async Task A_prompt_of_one_token_is_scored_at_once()
    {
        await using var engine = Open();
        var scored = engine.Submit(new GenerationRequest { Tokens = [5], Sampling = Greedy, PromptLogProbabilities = 0 })[0];
        await Ids(scored);
        Assert.That(scored.PromptScores, Is.EqualTo(new[] { new PromptScore(5, float.NaN, []) }).Using<PromptScore>((a, b) => a.Id == b.Id));
    }

    [TestCase(7, PromptEnd.Start)]
    [TestCase(7, PromptEnd.End)]
    [TestCase(100, PromptEnd.Start)]
    public async Task A_prompt_is_cut_at_the_end_that_was_asked_for(int most, PromptEnd end)
    {
        await using var engine = Open();
        var cut = engine.Submit(new GenerationRequest { Tokens = Prompt, Sampling = Greedy, TruncatePrompt = most, TruncateAt = end })[0];
        var expected = most >= Prompt.Length ? Prompt : end == PromptEnd.Start ? Prompt[^most..] : Prompt[..most];
        Assert.That(cut.PromptIds, Is.EqualTo(expected));
        Assert.That(await Ids(cut), Is.EqualTo(await Ids(engine.Generate(expected, Greedy))));
    }

    [Test]
    public async Task A_prompt_of_any_length_can_be_cut_to_what_fits()
    {
        await using var engine = Open();
        var tokens = Enumerable.Range(0, 5000).Select(i => i % 300).ToArray();
        Assert.That(() => engine.Generate(tokens, Greedy), Throws.TypeOf<BadInputException>());
        var cut = engine.Submit(new GenerationRequest { Tokens = tokens, Sampling = Greedy, TruncatePrompt = -1 })[0];
        Assert.That(cut.PromptIds, Is.EqualTo(tokens[^(engine.MaxTokens - 1)..]));
        Assert.That(await Ids(cut), Has.Length.EqualTo(1));
    }

    [Test]
    public async Task Echo_puts_the_prompt_in_front()
    {
        await using var engine = Open();
        var request = new GenerationRequest { Text = "The capital", Sampling = Greedy };
        var plain = await engine.Submit(request)[0].ReadToEndAsync();
        Assert.That(await engine.Submit(request with { Echo = true })[0].ReadToEndAsync(), Is.EqualTo("The capital" + plain));
    }

    [Test]
    public void What_is_out_of_range_is_refused_by_name()
    {
        using var engine = Open();
        var good = new GenerationRequest { Tokens = Prompt, Sampling = Greedy };
        Refuses(good with { Text = "two" }, "Text, Tokens, Conversation: expected exactly one of them, found 2");
        Refuses(good with { Tokens = null }, "found 0");
        Refuses(good with { Choices = 0 }, "Choices: expected 1 to 128, found 0");
        Refuses(good with { Choices = int.MaxValue }, "Choices: expected 1 to 128");
        Refuses(good with { Choices = 2 }, "Choices: expected 1 at temperature 0");
        Refuses(good with { Priority = 1001 }, "Priority");
        Refuses(good with { PromptLogProbabilities = -1 }, "PromptLogProbabilities");
        Refuses(good with { TruncatePrompt = 0 }, "TruncatePrompt");
        Refuses(good with { TruncatePrompt = -2 }, "TruncatePrompt");
        Refuses(good with { Deadline = TimeSpan.Zero }, "Deadline");
        Refuses(good with { CacheSalt = "" }, "CacheSalt: expected 1 to 128 characters, found 0");
        Refuses(good with { CacheSalt = new string('x', 129) }, "CacheSalt: expected 1 to 128 characters, found 129");
        foreach (var bad in "@/\\\0")
            Refuses(good with { Tenant = "a" + bad }, $"Tenant: expected none of @ / \\ and NUL, found U+{(int)bad:X4} at 1");

        void Refuses(GenerationRequest request, string why) =>
            Assert.That(() => engine.Submit(request), Throws.ArgumentException.With.Message.Contains(why));
    }

    [Test]
    public async Task A_request_that_waits_or_runs_too_long_ends_and_frees_its_blocks()
    {
        await using var engine = Open(new EngineOptions
        {
            Threads = 1, Isa = Isa.Reference, KvType = KvType.Float32, MaxSequences = 1, MaxWaitingTime = TimeSpan.FromMilliseconds(1),
        });
        var endless = Greedy with { MaxTokens = null };
        Generation[] many = [.. Enumerable.Range(0, 30).Select(_ => engine.Generate(Prompt, endless))];
        foreach (var one in many) await Ids(one);
        Assert.That(many.Count(one => one.FinishReason == FinishReason.Timeout && one.Stats.GeneratedTokens == 0), Is.GreaterThan(0));
        Assert.That(many.All(one => one.FinishReason is FinishReason.Timeout or FinishReason.Length), Is.True);

        await using var patient = Open(new EngineOptions { Threads = 1, Isa = Isa.Reference, KvType = KvType.Float32 });
        var late = patient.Submit(new GenerationRequest { Tokens = [1], Sampling = endless, Deadline = TimeSpan.FromMilliseconds(1) })[0];
        var ids = await Ids(late);
        Assert.That(late.FinishReason, Is.EqualTo(FinishReason.Timeout));
        Assert.That(ids, Has.Length.LessThan(patient.MaxTokens - 1));
        var unbounded = patient.Submit(new GenerationRequest { Tokens = Prompt, Sampling = Greedy, Deadline = TimeSpan.MaxValue })[0];
        await Ids(unbounded);
        Assert.That(unbounded.FinishReason, Is.EqualTo(FinishReason.Length));
        Assert.That(patient.Core.Blocks.Free, Is.EqualTo(patient.Core.Blocks.Blocks));
    }

    [Test]
    public async Task The_urgent_are_served_first_where_that_is_the_policy([Values] SchedulingPolicy policy)
    {
        var order = new Order();
        await using var engine = Open(new EngineOptions
        {
            Threads = 1, KvType = KvType.Float32, MaxSequences = 1, Scheduling = policy, Observer = order,
        });
        // Something runs while the others come, so that all of them wait.
        var first = engine.Generate(Prompt, Greedy with { MaxTokens = null });
        int[] priorities = [2, 0, 1, 0];
        var others = priorities.Select(p => engine.Submit(new GenerationRequest { Tokens = Prompt, Sampling = Greedy, Priority = p })[0]).ToArray();
        await Ids(first);
        foreach (var other in others) await Ids(other);
        int[] expected = policy == SchedulingPolicy.Priority ? [1, 3, 2, 0] : [0, 1, 2, 3];
        Assert.That(order.Started.Where(g => g != first).Select(g => Array.IndexOf(others, g)), Is.EqualTo(expected));
    }

    [Test]
    public async Task A_prompt_is_read_in_small_parts_where_it_would_hold_up_a_reply()
    {
        var heard = new Order();
        await using var engine = Open(new EngineOptions
        {
            Threads = 1, KvType = KvType.Float32, StepTime = TimeSpan.FromTicks(1), PrefixCaching = false, Observer = heard,
        });
        int[] longPrompt = [.. Enumerable.Range(0, 200).Select(i => i * 7 % 300)];
        var alone = await Ids(engine.Generate(longPrompt, Greedy));
        Assert.That(heard.Steps[0].PromptTokens, Is.EqualTo(longPrompt.Length), "nobody is held up");
        var talking = engine.Generate(Prompt, Greedy with { MaxTokens = 100 });
        await using var pieces = talking.GetAsyncEnumerator();
        await pieces.MoveNextAsync();
        var first = heard.Steps.Count;
        var read = engine.Generate(longPrompt, Greedy);
        Assert.That(await Ids(read), Is.EqualTo(alone));
        while (await pieces.MoveNextAsync()) { }
        await engine.ResetPrefixCacheAsync();
        Assert.That(heard.Steps.Skip(first).Where(step => step.DecodeTokens > 0).Max(step => step.PromptTokens), Is.LessThanOrEqualTo(16));
    }

    [Test]
    public async Task An_observer_hears_of_every_step_and_request_and_a_snapshot_says_the_same()
    {
        var heard = new Order();
        await using var engine = Open(new EngineOptions { Threads = 1, KvType = KvType.Float32, Observer = heard });
        var generations = Enumerable.Range(0, 5).Select(i => engine.Generate(Prompt[i..], Greedy)).ToArray();
        foreach (var generation in generations) await Ids(generation);
        await engine.ResetPrefixCacheAsync();

        var seen = engine.Snapshot();
        Assert.That((heard.Submitted, heard.Started.Count, heard.Ended.Count), Is.EqualTo((5, 5, 5)));
        Assert.That(heard.Ended.All(generation => generation.End is not null), Is.True);
        Assert.That(heard.Steps.Sum(step => (long)step.DecodeTokens), Is.EqualTo(5 * (Greedy.MaxTokens - 1)), "the first comes with the prompt");
        Assert.That(heard.Steps.Sum(step => (long)step.PromptTokens), Is.EqualTo(generations.Sum(g => g.Stats.PromptTokens - g.Stats.CachedTokens)));
        Assert.That(heard.Steps.All(step => step.Time > TimeSpan.Zero), Is.True);
        Assert.That((seen.Steps, seen.Running, seen.Waiting, seen.Finished), Is.EqualTo((heard.Steps.Count, 0, 0, 5)));
        Assert.That((seen.GeneratedTokens, seen.PromptTokens), Is.EqualTo((5 * Greedy.MaxTokens, generations.Sum(g => g.Stats.PromptTokens))));
        Assert.That((seen.BlocksUsed, seen.CacheUsage), Is.EqualTo((0, 0.0)));
        Assert.That(seen.PrefixQueries, Is.EqualTo(generations.Sum(g => g.Stats.PromptTokens)));
        var stats = generations[0].Stats;
        Assert.That(stats.QueueTime, Is.GreaterThan(TimeSpan.Zero).And.LessThanOrEqualTo(stats.PromptTime));
        Assert.That(stats.TotalTime, Is.GreaterThanOrEqualTo(stats.PromptTime + stats.GenerationTime));
        Assert.That(stats.LongestTokenTime, Is.GreaterThanOrEqualTo(stats.TokenTime));
    }

    [Test]
    public async Task An_observer_that_throws_is_told_nothing_more()
    {
        await using var engine = Open(new EngineOptions { Threads = 1, KvType = KvType.Float32, Observer = new Thrower() });
        Assert.That(await Ids(engine.Generate(Prompt, Greedy)), Has.Length.EqualTo(Greedy.MaxTokens));
        Assert.That(engine.Failure, Is.Null);
        Assert.That(engine.Warnings, Has.Some.Contains("the observer threw and is told nothing more: enough"));
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

    private sealed class Order : EngineObserver
    {
        public int Submitted { get; private set; }

        public List<Generation> Started { get; } = [];

        public List<Generation> Ended { get; } = [];

        public List<StepReport> Steps { get; } = [];

        public override void RequestSubmitted(Generation generation) => Submitted++;

        public override void RequestStarted(Generation generation) => Started.Add(generation);

        public override void RequestEnded(Generation generation) => Ended.Add(generation);

        public override void StepEnded(in StepReport step) => Steps.Add(step);
    }

    private sealed class Thrower : EngineObserver
    {
        public override void StepEnded(in StepReport step) => throw new InvalidOperationException("enough");
    }
}
