using System.Text.Json;
using Quilt.Formats.Chat;
using Quilt.Kernels.Ops;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;

namespace Quilt.Tests.Runtime;

/// <summary>
/// Requests of all kinds on the demo model, many at once, in a cache that is too small for them: conversations, forms, tools, choices, scored
/// prompts, salts and priorities; a fifth is cancelled anywhere, a tenth is hostile. Every other reply is what the request gets alone. QUILT_SOAK
/// says how many; the full run is 20,000.
/// </summary>
public sealed class EngineSoakTests
{
    private const int Kinds = 80, Callers = 24;

    private static readonly int Requests = int.TryParse(Environment.GetEnvironmentVariable("QUILT_SOAK"), out var given) ? given : 600;

    private sealed record Known(GenerationRequest Request, string[] Replies);

    [Test]
    public async Task Every_reply_of_a_crowd_is_its_lone_one_and_nothing_is_left_behind()
    {
        Known[] known;
        long tokenBytes;
        await using (var alone = await Open(new EngineOptions { Threads = 1, KvType = KvType.BFloat16, PrefixCaching = false }))
        {
            tokenBytes = alone.Memory.TokenBytes;
            known = new Known[Kinds];
            for (var i = 0; i < Kinds; i++)
            {
                var request = Ask(new Random(i));
                var replies = new List<string>();
                foreach (var reply in alone.Submit(request)) replies.Add(await Read(reply));
                known[i] = new(request, [.. replies]);
            }
        }

        await using var engine = await Open(new EngineOptions
        {
            Threads = 2, KvType = KvType.BFloat16, KvMemory = 60 * 16 * tokenBytes, MaxSequences = 12, MaxWaiting = 200, MaxBatchedTokens = 128,
            Scheduling = SchedulingPolicy.Priority, StepTime = TimeSpan.FromMilliseconds(20),
        });
        var (left, answered, cancelled, hostile) = (Requests, 0, 0, 0);
        var early = 0L;
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            var random = new Random(1000 + caller);
            while (Interlocked.Decrement(ref left) is var number && number >= 0)
            {
                if (number == Requests / 2) early = GC.GetTotalMemory(forceFullCollection: true);
                var one = known[random.Next(Kinds)];
                switch (random.Next(10))
                {
                    case 0:
                        BeHostile(engine, one.Request, random);
                        Interlocked.Increment(ref hostile);
                        break;
                    case 1 or 2:
                        await Cancel(engine, one, random);
                        Interlocked.Increment(ref cancelled);
                        break;
                    default:
                        var request = one.Request with { Priority = random.Next(3), CacheSalt = random.Next(4) == 0 ? "salt" : null };
                        foreach (var (i, reply) in engine.Submit(request).Index()) Assert.That(await Read(reply), Is.EqualTo(one.Replies[i]));
                        Interlocked.Increment(ref answered);
                        break;
                }
            }
        })));
        await engine.ResetPrefixCacheAsync();

        var late = GC.GetTotalMemory(forceFullCollection: true);
        var seen = engine.Snapshot();
        TestContext.Out.WriteLine($"{answered} answered as alone, {cancelled} cancelled, {hostile} refused; {seen.Preemptions} computed again, " +
            $"{seen.HitRate:P0} of {seen.PrefixQueries:#,0} tokens found in the cache; {early >> 10:#,0} KiB half way, {late >> 10:#,0} at the end");
        Assert.That(answered + cancelled + hostile, Is.EqualTo(Requests));
        Assert.That((engine.Failure, seen.Running, seen.Waiting, engine.Core.Blocks.Free),
            Is.EqualTo(((Exception?)null, 0, 0, engine.Core.Blocks.Blocks)));
        Assert.That(seen.PrefixHits, Is.GreaterThan(0));
        Assert.That(seen.Preemptions, Is.GreaterThan(0), "blocks were to run out");
        Assert.That(late - early, Is.LessThan(32 << 20), "memory grows");
    }

    private static GenerationRequest Ask(Random random)
    {
        var sampling = new SamplingOptions
        {
            Temperature = random.Next(3) == 0 ? 0 : 0.5 + random.NextDouble(), Seed = random.Next(), MaxTokens = 4 + random.Next(30),
            TopK = random.Next(2) == 0 ? 0 : 40, TopP = random.Next(2) == 0 ? 1 : 0.95,
            RepetitionPenalty = random.Next(3) == 0 ? 1.1 : 1, FrequencyPenalty = random.Next(3) == 0 ? 0.4 : 0,
            Stop = random.Next(4) == 0 ? ["the", "zzz"] : [], LogProbabilities = random.Next(3) == 0,
            ThinkingBudget = null, RepetitionGuard = random.Next(4) == 0 ? new RepetitionGuard() : null,
        };
        string[] topics = ["the capital of France", "a story of a cat and a dog who live together by the sea", "two and two", "the weather in Paris"];
        var topic = topics[random.Next(topics.Length)];
        var conversation = new Conversation().Add("system", "You are helpful and speak of many things in few words.")
            .Add("user", $"Tell me of {topic}.");
        switch (random.Next(6))
        {
            case 0:
                return new() { Text = $"Once upon a time there was {topic}", Sampling = sampling, Echo = random.Next(2) == 0 };
            case 1:
                return new() { Text = topic, Sampling = sampling, Output = StructuredOutput.Regex("[a-z]{3,8}( [a-z]{2,6}){0,3}") };
            case 2:
                return new() { Text = topic, Sampling = sampling, PromptLogProbabilities = 2 };
            case 3:
                return new() { Conversation = conversation, Sampling = sampling with { ThinkingBudget = 5 } };
            case 4:
                conversation.Tools = Tools;
                return new() { Conversation = conversation, Sampling = sampling with { MaxTokens = 60 }, ToolChoice = ToolChoice.Required };
            default:
                return new()
                {
                    Conversation = conversation.Add("assistant", "Of course. What would you like to hear?").Add("user", "Everything."),
                    Sampling = sampling with { Temperature = 0.9 }, Choices = 1 + random.Next(3),
                };
        }
    }

    private static readonly JsonElement Tools = JsonDocument.Parse("""
        [{"type":"function","function":{"name":"look_up","parameters":{"type":"object","properties":{"what":{"type":"string","maxLength":10}},
          "required":["what"]}}}]
        """).RootElement;

    private static void BeHostile(Engine engine, GenerationRequest request, Random random)
    {
        Action submit = random.Next(7) switch
        {
            0 => () => engine.Submit(request with { Choices = int.MaxValue }),
            1 => () => engine.Submit(request with { CacheSalt = "../../etc/passwd" }),
            2 => () => engine.Submit(new() { Tokens = [int.MaxValue, -1] }),
            3 => () => engine.Submit(new() { Text = "x", Output = StructuredOutput.JsonSchema(new string('[', 100_000)) }),
            4 => () => engine.Submit(new() { Text = "x", Output = StructuredOutput.Regex("(((((a{1,1000}){1,1000}){1,1000}){1,1000}){1,1000}") }),
            5 => () => engine.Submit(new() { Text = new string('a', 1_000_000) }),
            _ => () => engine.Submit(request with { Sampling = new() { Temperature = double.NaN } }),
        };
        try
        {
            submit();
        }
        catch (Exception refused) when (refused is ArgumentException or Quilt.Formats.BadInputException)
        {
            return;
        }
        // A count inside a count is none that must be refused; what it allows is said elsewhere.
    }

    private static async Task Cancel(Engine engine, Known one, Random random)
    {
        using var cancel = new CancellationTokenSource();
        var (generation, most) = (engine.Submit(one.Request, cancel.Token)[0], random.Next(12));
        var tokens = 0;
        if (most == 0) await cancel.CancelAsync();
        await foreach (var happened in generation.Events())
        {
            if (happened.Token is not null && ++tokens == most) await cancel.CancelAsync();
        }
    }

    /// <summary>All that a reply says, with its end and its numbers.</summary>
    private static async Task<string> Read(Generation generation)
    {
        var all = new System.Text.StringBuilder();
        await foreach (var happened in generation.Events())
        {
            if (happened.Token is { } token)
                all.Append(token.Id).Append(' ').Append(BitConverter.SingleToInt32Bits(token.LogProbability)).Append('\n');
            if (happened.Part is { } part) all.Append(part).Append('\n');
            if (happened.End is { } end) all.Append(end.Reason).Append(' ').Append(end.StopText).Append(' ').Append(end.Error?.Message);
        }
        foreach (var score in generation.PromptScores ?? []) all.Append(BitConverter.SingleToInt32Bits(score.LogProbability)).Append(' ');
        return all.ToString();
    }

    private static Task<Engine> Open(EngineOptions options) => Engine.OpenAsync(TinyModels.TinyMiniMax.Demo, options);
}
