using System.Text.Json;
using Quilt.Runtime.Kv;
using Quilt.Runtime.Scheduling;

namespace Quilt.Tests.Runtime.Scheduling;

/// <summary>
/// Scripts that were recorded from another engine's scheduler, run on ours: who gets how many tokens, who waits, who has to give way. Block 0 is
/// reserved there, so that a pool of n has n − 1 blocks here. What a script does not configure is unbounded there.
/// </summary>
[Category("Conformance")]
public sealed class SchedulerCaseTests
{
    private readonly Dictionary<string, Sequence> sequences = [];
    private readonly Dictionary<string, int> given = [];

    public static IEnumerable<TestCaseData> Scripts() => Cases.OfKind("scheduler");

    [TestCaseSource(nameof(Scripts))]
    public void A_script_runs_as_recorded(JsonElement? test)
    {
        var script = Cases.Given(test);
        sequences.Clear();
        var config = script.GetProperty("config");
        var pool = new KvBlockPool(Number(config, "num_blocks", 10_001) - 1, Number(config, "block_size", 16));
        var scheduler = new Scheduler(pool, new SchedulerOptions
        {
            MaxBatchedTokens = Number(config, "max_num_batched_tokens", 8192),
            MaxSequences = Number(config, "max_num_seqs", 16),
            MaxPartialPrompts = Number(config, "max_num_partial_prefills", int.MaxValue),
            MaxLongPartialPrompts = Number(config, "max_long_partial_prefills", int.MaxValue),
            // Off: longer than any prompt.
            LongPromptTokens = Number(config, "long_prefill_token_threshold", 0) is > 0 and var tokens ? tokens : int.MaxValue,
            ByPriority = config.TryGetProperty("policy", out var policy) && policy.GetString() == "priority",
            PrefixCaching = config.TryGetProperty("enable_prefix_caching", out var caching) && caching.GetBoolean(),
        });

        var preempted = new List<string>();
        foreach (var step in script.GetProperty("steps").EnumerateArray())
        {
            foreach (var action in step.EnumerateObject())
            {
                switch (action.Name)
                {
                    case "add":
                        foreach (var request in action.Value.EnumerateArray()) Add(scheduler, request);
                        break;
                    case "schedule":
                        Schedule(scheduler, pool, action.Value);
                        break;
                    case "output":
                        foreach (var output in action.Value.EnumerateObject())
                        {
                            var sequence = sequences[output.Name];
                            sequence.Tokens.AddRange(output.Value.EnumerateArray().Select(token => token.GetInt32()));
                            sequence.Drafts.Clear();
                        }
                        break;
                    case "draft":
                        foreach (var draft in action.Value.EnumerateObject())
                        {
                            sequences[draft.Name].Drafts.Clear();
                            sequences[draft.Name].Drafts.AddRange(draft.Value.EnumerateArray().Select(token => token.GetInt32()));
                        }
                        break;
                    case "finish":
                        foreach (var id in action.Value.EnumerateArray()) scheduler.Remove(sequences[id.GetString()!]);
                        break;
                    default:
                        Assert.Fail($"an action that the fixture does not know: {action.Name}");
                        break;
                }
            }
        }
    }

    private void Add(Scheduler scheduler, JsonElement request)
    {
        var tokens = request.TryGetProperty("tokens", out var listed)
            ? listed.EnumerateArray().Select(token => token.GetInt32()).ToArray()
            : [.. Enumerable.Range(0, Number(request, "prompt_tokens", 1))];
        var sequence = new Sequence(tokens)
        {
            Priority = Number(request, "priority", 0),
            Arrival = Number(request, "arrival", -1),
        };
        sequences[request.GetProperty("id").GetString()!] = sequence;
        scheduler.Submit(sequence);
    }

    private void Schedule(Scheduler scheduler, KvBlockPool pool, JsonElement expected)
    {
        var running = scheduler.RunningSequences.ToArray();
        var before = sequences.Values.Where(sequence => sequence.WasPreempted).ToArray();
        given.Clear();
        if (scheduler.TryPlan(out var plan))
        {
            foreach (var chunk in plan.Chunks) given[Name(chunk.Sequence)] = chunk.Count;
            scheduler.Return(plan);
        }
        var admitted = scheduler.RunningSequences.Except(running).ToArray();
        foreach (var wanted in expected.EnumerateObject())
        {
            object actual = wanted.Name switch
            {
                "scheduled" => given,
                "new" => Names(admitted.Except(before)),
                "resumed" => Names(admitted.Intersect(before)),
                "running" => Names(scheduler.RunningSequences),
                "waiting" => Names(scheduler.WaitingSequences),
                "preempted" => Names(running.Except(scheduler.RunningSequences)),
                "free_blocks" => pool.Free,
                _ => throw new AssertionException($"an expectation that the fixture does not know: {wanted.Name}"),
            };
            object right = wanted.Value.ValueKind switch
            {
                JsonValueKind.Object => wanted.Value.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetInt32()),
                JsonValueKind.Array => wanted.Value.EnumerateArray().Select(id => id.GetString()!).ToArray(),
                _ => wanted.Value.GetInt32(),
            };
            // Who is given what is a set; who waits, and who was let in, has an order.
            Assert.That(actual, right is Dictionary<string, int> ? Is.EquivalentTo((Dictionary<string, int>)right) : Is.EqualTo(right), wanted.Name);
        }
    }

    private string Name(Sequence sequence) => sequences.Single(pair => pair.Value == sequence).Key;

    private string[] Names(IEnumerable<Sequence> some) => [.. some.Select(Name)];

    private static int Number(JsonElement from, string name, int missing) =>
        from.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt32() : missing;
}
