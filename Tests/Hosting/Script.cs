using System.Collections.Concurrent;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;

namespace Quilt.Tests.Hosting;

/// <summary>
/// Replies in the order in which they are asked for, one for each choice; the last goes on for ever. Takes the place of
/// <c>ServedModel.Submit</c>, and keeps what was asked.
/// </summary>
internal sealed class Script(params ScriptedReply[] replies)
{
    private readonly ConcurrentQueue<(GenerationRequest Request, string? Prompt, IReadOnlyList<Generation> Generations)> asked = [];
    private int next;

    /// <summary>The requests so far.</summary>
    public IReadOnlyList<GenerationRequest> Requests => [.. asked.Select(one => one.Request)];

    /// <summary>Their prompts as text, as the chat template laid them out; null where a prompt came as ids.</summary>
    public IReadOnlyList<string?> Prompts => [.. asked.Select(one => one.Prompt)];

    /// <summary>What they were answered with.</summary>
    public IReadOnlyList<Generation> Generations => [.. asked.SelectMany(one => one.Generations)];

    /// <summary>Answers a request; checks it as the engine does.</summary>
    public IReadOnlyList<Generation> Submit(Engine engine, GenerationRequest request, CancellationToken cancel)
    {
        request.Validate(engine.Config.VocabularySize);
        var prompt = request.Conversation is { } conversation ? (request.Template ?? engine.Template!).Render(conversation) : request.Text;
        int[] ids = prompt is null ? [.. request.Tokens!]
            : engine.Tokenizer!.Encode(prompt, addSpecialTokens: request.Conversation is null && request.AddSpecialTokens != false);
        var generations = Enumerable.Range(0, request.Choices).Select(i => Take().Begin(engine, request, ids, prompt, i, cancel)).ToArray();
        asked.Enqueue((request, prompt, generations));
        return generations;
    }

    /// <summary>The token with which a reply of the demo model ends.</summary>
    public static int EndToken(Engine engine) =>
        engine.Tokenizer!.TryGetId("[e~[", out var id) ? id : throw new InvalidOperationException("No [e~[.");

    /// <summary>A token with the probabilities that are asked for: it is the most likely one, its neighbours follow.</summary>
    public static TokenChoice Choice(int token, Engine engine, SamplingOptions sampling)
    {
        if (!sampling.WantsProbabilities) return new(token, float.NaN, []);
        var most = sampling.TopLogProbabilities < 0 ? engine.Config.VocabularySize : sampling.TopLogProbabilities;
        return new(token, Likely(0), [.. Enumerable.Range(0, most).Select(i => new TokenProbability(Near(token, i, engine), Likely(i)))])
        {
            Asked = [.. sampling.LogProbabilityTokens.Select(id => new TokenProbability(id, Likely(Math.Abs(id - token))))],
        };
    }

    /// <summary>[vocabulary] a row in which a token stands out.</summary>
    public static float[] Logits(int token, Engine engine)
    {
        var row = new float[engine.Config.VocabularySize];
        row[token] = 10;
        return row;
    }

    private static float Likely(int place) => -0.125f - place;

    private static int Near(int token, int i, Engine engine) => (token + i) % engine.Config.VocabularySize;

    private ScriptedReply Take() => replies[Math.Min(Interlocked.Increment(ref next) - 1, replies.Length - 1)];
}
