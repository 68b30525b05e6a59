namespace Quilt.Runtime.Sampling;

/// <summary>
/// What is done to logits before the temperature, in this order: grammar, allowed tokens, bad words, least length, bias, repetition, frequency,
/// presence.
/// </summary>
internal static class Penalties
{
    /// <summary>Changes the logits of one sequence in place.</summary>
    /// <param name="logits">[vocabulary]; what is out becomes −∞.</param>
    /// <param name="state">The request's options and counts.</param>
    /// <param name="output">Tokens chosen so far.</param>
    public static void Apply(Span<float> logits, SamplerState state, ReadOnlySpan<int> output)
    {
        if (!state.Mask.IsEmpty) VocabularyMask.Keep(state.Mask.Span, logits);
        if (state.Allowed is { } allowed) KeepOnly(logits, allowed);
        ApplyToAllowed(logits, state, output);
    }

    /// <summary>The same but for grammar and allowed tokens, where only those are looked at afterwards.</summary>
    public static void ApplyToAllowed(Span<float> logits, SamplerState state, ReadOnlySpan<int> output)
    {
        var options = state.Options;
        for (var i = 0; i < options.BadWords.Count; i++) Forbid(logits, options.BadWords[i], output);
        if (state.OutputTokens < options.MinTokens) Forbid(logits, state.EndTokens);
        for (var i = 0; i < state.BiasedTokens.Length; i++)
        {
            var id = state.BiasedTokens[i];
            if ((uint)id < (uint)logits.Length) logits[id] += state.Bias[i];
        }
        Penalize(logits, state);
    }

    private static void Penalize(Span<float> logits, SamplerState state)
    {
        var ids = state.Seen.Ids;
        var outputs = state.Seen.Outputs[..ids.Length];
        var options = state.Options;
        var (r, frequency, presence) =
            ((float)options.RepetitionPenalty, (float)options.FrequencyPenalty, (float)options.PresencePenalty);
        for (var i = 0; i < ids.Length; i++)
        {
            ref var logit = ref logits[ids[i]];
            var value = logit > 0 ? logit / r : logit * r;
            if (outputs[i] > 0) value = value - (frequency * outputs[i]) - presence;
            logit = value;
        }
    }

    private static void KeepOnly(Span<float> logits, ReadOnlySpan<int> ascending)
    {
        var next = 0;
        foreach (var id in ascending)
        {
            if ((uint)id >= (uint)logits.Length) continue;
            logits[next..id].Fill(float.NegativeInfinity);
            next = id + 1;
        }
        logits[next..].Fill(float.NegativeInfinity);
    }

    private static void Forbid(Span<float> logits, ReadOnlySpan<int> ids)
    {
        foreach (var id in ids)
        {
            if ((uint)id < (uint)logits.Length) logits[id] = float.NegativeInfinity;
        }
    }

    private static void Forbid(Span<float> logits, IReadOnlyList<int> word, ReadOnlySpan<int> output)
    {
        var before = word.Count - 1;
        if (before > output.Length) return;
        for (var i = before - 1; i >= 0; i--)
        {
            if (output[output.Length - before + i] != word[i]) return;
        }
        if ((uint)word[before] < (uint)logits.Length) logits[word[before]] = float.NegativeInfinity;
    }
}
