using Quilt.Formats.Chat;
using Quilt.Formats.Chat.Replies;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;
using Quilt.Tests.TinyModels;

namespace Quilt.Tests.Runtime;

/// <summary>What sampling options do to whole replies.</summary>
public sealed class EngineSamplingTests
{
    private static readonly Conversation Question =
        Conversation.Read("""{"messages": [{"role": "user", "content": "What is the capital of France?"}]}"""u8.ToArray(), "question");
    private Engine engine = null!;

    [OneTimeSetUp]
    public async Task Open() => engine = await Engine.OpenAsync(TinyMiniMax.Demo, new EngineOptions { Threads = 2 });

    [OneTimeTearDown]
    public async Task Close() => await engine.DisposeAsync();

    [Test]
    public async Task A_reply_thinks_no_longer_than_its_budget([Values(0, 1, 4)] int budget)
    {
        // A bias against the end of thinking: without a budget the reply would think to its last token.
        Assert.That(engine.Tokenizer!.TryGetId("</think>", out var end), Is.True);
        var bias = new Dictionary<int, float> { [end] = -100 };
        var options = new SamplingOptions { Temperature = 0, MaxTokens = 24, IgnoreEos = true, LogitBias = bias };
        var (without, thought) = await Ids(engine.Chat(Question, options));
        Assert.That((without.Contains(end), thought), Is.EqualTo((false, true)));

        var (ids, _) = await Ids(engine.Chat(Question, options with { ThinkingBudget = budget }));
        Assert.That(ids[..budget], Is.EqualTo(without[..budget]));
        Assert.That(Array.IndexOf(ids, end), Is.EqualTo(budget));
        Assert.That(ids.Count(id => id == end), Is.EqualTo(1));
    }

    [Test]
    public void A_budget_for_what_does_not_think_is_refused() =>
        Assert.That(() => engine.Generate("Once", new SamplingOptions { ThinkingBudget = 3 }),
            Throws.ArgumentException.With.Message.StartsWith("ThinkingBudget: expected a conversation"));

    [Test]
    public async Task An_output_that_runs_in_circles_is_ended_in_its_third_round()
    {
        var options = new SamplingOptions { Temperature = 0, MaxTokens = 100, IgnoreEos = true, AllowedTokens = [65], RepetitionGuard = new() };
        var generation = engine.Generate([1, 2, 3], options);
        var (ids, _) = await Ids(generation);
        Assert.That((ids.Length, generation.FinishReason), Is.EqualTo((3, FinishReason.Repetition)));
    }

    [Test]
    public async Task Named_tokens_come_with_their_log_probabilities()
    {
        var options =
            new SamplingOptions { Temperature = 0, MaxTokens = 3, IgnoreEos = true, TopLogProbabilities = -1, LogProbabilityTokens = [65, 3] };
        await foreach (var piece in engine.Generate([1, 2, 3], options))
        {
            Assert.That(piece.Top, Has.Count.GreaterThan(1000));
            Assert.That(piece.Top[0].Id, Is.EqualTo(piece.Id));
            Assert.That(piece.LogProbabilityTokens.Select(t => t.Id), Is.EqualTo(new[] { 65, 3 }));
            foreach (var (id, logProbability) in piece.LogProbabilityTokens)
                Assert.That(logProbability, Is.EqualTo(piece.Top.Single(t => t.Id == id).LogProbability));
        }
    }

    [Test]
    public void Tokens_that_the_model_has_not_are_refused()
    {
        var many = engine.Config.VocabularySize;
        Assert.That(() => engine.Generate([1], new SamplingOptions { AllowedTokens = [many] }),
            Throws.ArgumentException.With.Message.Contains($"expected token ids from 0 to {many - 1}"));
        Assert.That(() => engine.Generate([1], new SamplingOptions { LogProbabilityTokens = [-1] }), Throws.ArgumentException);
    }

    private static async Task<(int[] Ids, bool Thought)> Ids(Generation generation)
    {
        var (ids, thought) = (new List<int>(), false);
        await foreach (var happened in generation.Events())
        {
            if (happened.Token is { } token) ids.Add(token.Id);
            thought |= happened.Part is ThinkingText;
        }
        return ([.. ids], thought);
    }
}
