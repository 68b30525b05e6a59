using Quilt.Formats.Chat.Replies;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;

namespace Quilt.Tests.Hosting;

/// <summary>
/// A reply whose text is given, markers included, in a model's place. Its tokens take the engine's own way from there: stop rule, decoder, parser of
/// the dialect, events and counts are those of a real request.
/// </summary>
/// <param name="Text">What the model writes: <c>I add.&lt;/think&gt;It is 43.</c></param>
internal sealed record ScriptedReply(string Text)
{
    /// <summary>Tokens that come at once; between such chunks others get their turn.</summary>
    public int ChunkSize { get; init; } = 1;

    /// <summary>Time before each chunk.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>How it ends where no stop text and no length does; <see cref="FinishReason.Stop"/> comes with the model's end token.</summary>
    public FinishReason Reason { get; init; } = FinishReason.Stop;

    /// <summary>After so many tokens it fails (or before the end, where there are fewer); null: it does not.</summary>
    public int? FailAfter { get; init; }

    /// <summary>What it fails with.</summary>
    public Exception Failure { get; init; } = new InvalidOperationException("The script says so.");

    /// <summary>Whether it is the engine that fails, and not the request alone.</summary>
    public bool FailsEngine { get; init; }

    /// <summary>Prompt tokens that were found in the cache.</summary>
    public int CachedTokens { get; init; }

    /// <summary>Is waited for before the first token; null: nothing is.</summary>
    public Task? Gate { get; init; }

    /// <summary>A text is its own script.</summary>
    public static implicit operator ScriptedReply(string text) => new(text);

    /// <summary>Writes it as the reply to a request.</summary>
    /// <param name="engine">Whose tokenizer, template and dialect count.</param>
    /// <param name="request">The request.</param>
    /// <param name="promptIds">Its prompt.</param>
    /// <param name="prompt">The same as text; null where it came as ids.</param>
    /// <param name="choice">Which of the request's choices.</param>
    /// <param name="cancel">Ends it.</param>
    public Generation Begin(Engine engine, GenerationRequest request, int[] promptIds, string? prompt, int choice, CancellationToken cancel)
    {
        var tokenizer = engine.Tokenizer!;
        var sampling = (request.Sampling ?? engine.DefaultSampling).Copy();
        sampling.Validate(engine.Config.VocabularySize);
        ReplyParser? parser = null;
        HashSet<int> markers = [];
        if (request.Conversation is { } conversation && engine.ReplyDialect is { } dialect)
        {
            parser = ReplyParser.Create(dialect, (request.Reply ?? new ReplyOptions()) with
            {
                Tools = conversation.Tools,
                StartsThinking = ReplyParser.EndsInThinking(prompt!),
            });
            foreach (var marker in parser.Markers)
            {
                if (tokenizer.TryGetId(marker, out var id) && tokenizer.IsSpecial(id)) markers.Add(id);
            }
        }
        var generation = new Generation(promptIds, static () => { }, cancel) { Choice = choice };
        var own = new Request();
        own.Begin(generation, new RequestTerms
        {
            Sampling = sampling,
            EndTokens = [Script.EndToken(engine)],
            Room = engine.MaxTokens - promptIds.Length,
            Reply = new ReplyDecoder(tokenizer, parser, parser is null ? null : markers, sampling),
            Echo = request.Echo ? prompt ?? tokenizer.Decode(promptIds, skipSpecialTokens: true) : null,
            PromptTop = request.PromptLogProbabilities,
        });
        own.Sequence.Cached = CachedTokens;
        if (request.PromptLogProbabilities is not null)
        {
            for (var i = 0; i < promptIds.Length; i++) own.Score(i, Script.Logits(promptIds[i], engine));
        }
        int[] tokens = [.. tokenizer.Encode(Text), .. Reason == FinishReason.Stop ? [Script.EndToken(engine)] : Array.Empty<int>()];
        _ = WriteAsync(own, engine, sampling, tokens);
        return generation;
    }

    private async Task WriteAsync(Request request, Engine engine, SamplingOptions sampling, int[] tokens)
    {
        await Task.Yield();
        if (Gate is not null) await Gate.ConfigureAwait(false);
        request.Start();
        for (var i = 0; i < tokens.Length; i++)
        {
            if (i % ChunkSize == 0)
            {
                if (Delay > TimeSpan.Zero) await Task.Delay(Delay).ConfigureAwait(false);
                else await Task.Yield();
            }
            if (request.Generation.IsCancelled)
            {
                request.Finish(FinishReason.Cancelled);
                return;
            }
            if (i >= FailAfter) break;
            request.Accept(Script.Choice(tokens[i], engine, sampling));
            if (request.Finished is not { } reason) continue;
            request.Finish(reason);
            return;
        }
        if (FailAfter is null) request.Finish(Reason);
        else request.Finish(FinishReason.Error, FailsEngine ? new EngineFailedException(Failure) : new RequestFailedException(Failure));
    }
}
