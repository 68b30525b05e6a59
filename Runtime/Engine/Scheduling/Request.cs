using System.Runtime.InteropServices;
using Quilt.Formats.Tokenizers;
using Quilt.Kernels.Devices;
using Quilt.Runtime.Sampling;

namespace Quilt.Runtime.Scheduling;

/// <summary>
/// What one caller asked for: how to choose tokens, when to stop, and where the text goes. Belongs to the engine's thread once submitted.
/// Pooled: the lists of its sequence and its sampler are used again by a later request.
/// </summary>
internal sealed class Request
{
    private readonly SamplerState sampling = new();
    private StopRule stop = null!;
    private StopText stopText = null!;
    private StreamingDecoder? decoder;
    private float logProbability;

    public Request() => Sequence = new Sequence(this);

    /// <summary>The caller's end.</summary>
    public Generation Generation { get; private set; } = null!;

    /// <summary>Its tokens.</summary>
    public Sequence Sequence { get; }

    /// <summary>Why it is over; null while it runs.</summary>
    public FinishReason? Finished { get; private set; }

    /// <summary>Starts a request; what an earlier one left is forgotten. Special tokens are no text, but for <paramref name="markers"/>.</summary>
    public void Begin(Generation generation, IReadOnlyList<int> prompt, SamplingOptions options, IReadOnlyCollection<int> endTokens,
        Tokenizer? tokenizer, int maxTokens, IReadOnlySet<int>? markers = null)
    {
        (Generation, Finished) = (generation, null);
        Sequence.Begin(prompt);
        stop = new StopRule(options, endTokens, maxTokens - prompt.Count);
        stopText = new StopText(options.Stop, options.IncludeStop);
        decoder = tokenizer?.Stream(skipSpecialTokens: true, kept: markers);
        sampling.Begin(options, CollectionsMarshal.AsSpan(Sequence.Tokens), endTokens);
    }

    /// <summary>Chooses the next token from the logits after the last one.</summary>
    public int Sample(Sampler sampler, Span<float> logits) =>
        sampler.Sample(logits, sampling, CollectionsMarshal.AsSpan(Sequence.Tokens)[Sequence.PromptLength..], out logProbability);

    /// <summary>The next row of a step's logits will be this request's.</summary>
    public void AddTo(DeviceChoice choice) => choice.Add(sampling);

    /// <summary>Chooses the next token from a row of logits on a GPU.</summary>
    public int Sample(DeviceChoice choice, OpStream ops, int row) =>
        choice.Sample(ops, row, sampling, CollectionsMarshal.AsSpan(Sequence.Tokens)[Sequence.PromptLength..], out logProbability);

    /// <summary>Takes the chosen token: it is appended, and its text goes to the caller.</summary>
    public void Accept(int token)
    {
        Sequence.Tokens.Add(token);
        var mayStop = !stop.BelowLeast;
        Finished = stop.Accept(token);
        var ends = Finished == FinishReason.Stop;
        // The token that ended the reply is not part of its text.
        var text = decoder is null || ends ? "" : stopText.Push(decoder.Push(token), mayStop);
        if (stopText.Found is not null) Finished = FinishReason.Stop;
        Generation.Write(new TokenPiece(token, text, logProbability));
    }

    /// <summary>Gives out the text that was held back and ends the caller's stream.</summary>
    public void Finish(FinishReason reason)
    {
        if (decoder is not null && stopText.Found is null)
        {
            var rest = stopText.Push(decoder.Flush()) + stopText.Flush();
            if (rest.Length > 0) Generation.Write(new TokenPiece(-1, rest, float.NaN));
        }
        Generation.StopReason = stopText.Found ?? (object?)stop.StopToken;
        Generation.Finish(reason);
    }
}
