namespace Quilt.Runtime.Sampling;

/// <summary>
/// What is done to logits before the temperature, in this order: allowed tokens, bad words, least length, bias, repetition, frequency, presence.
/// </summary>
internal static class Penalties
{
    /// <summary>Changes the logits of one sequence in place.</summary>
    /// <param name="logits">[vocabulary]; what is out becomes −∞.</param>
    /// <param name="state">The request's options and counts.</param>
    /// <param name="output">Tokens chosen so far.</param>
    public static void Apply(Span<float> logits, SamplerState state, ReadOnlySpan<int> output)
    {
        var options = state.Options;
        if (options.AllowedTokens is { } allowed) KeepOnly(logits, allowed);
        for (var i = 0; i < options.BadWords.Count; i++) Forbid(logits, options.BadWords[i], output);
        if (state.OutputTokens < options.MinTokens) ForbidEnd(logits, state);
        if (options.LogitBias.Count > 0) AddBias(logits, options.LogitBias);

        if (options.RepetitionPenalty != 1)
        {
            var r = (float)options.RepetitionPenalty;
            foreach (var id in state.Seen) logits[id] = logits[id] > 0 ? logits[id] / r : logits[id] * r;
        }
        if (options.FrequencyPenalty != 0 || options.PresencePenalty != 0)
        {
            var (frequency, presence) = ((float)options.FrequencyPenalty, (float)options.PresencePenalty);
            foreach (var (id, count) in state.OutputCounts) logits[id] = logits[id] - (frequency * count) - presence;
        }
    }

    private static void KeepOnly(Span<float> logits, IReadOnlyCollection<int> allowed)
    {
        var kept = new (int Id, float Logit)[allowed.Count];
        var count = 0;
        foreach (var id in allowed)
        {
            if ((uint)id < (uint)logits.Length) kept[count++] = (id, logits[id]);
        }
        logits.Fill(float.NegativeInfinity);
        foreach (var (id, logit) in kept.AsSpan(0, count)) logits[id] = logit;
    }

    private static void Forbid(Span<float> logits, IReadOnlyList<int> word, ReadOnlySpan<int> output)
    {
        var before = word.Count - 1;
        if (before > output.Length) return;
        for (var i = 0; i < before; i++)
        {
            if (output[output.Length - before + i] != word[i]) return;
        }
        if ((uint)word[before] < (uint)logits.Length) logits[word[before]] = float.NegativeInfinity;
    }

    private static void ForbidEnd(Span<float> logits, SamplerState state)
    {
        foreach (var id in state.Options.StopTokens) Out(logits, id);
        if (state.Options.IgnoreEos) return;
        foreach (var id in state.EndTokens) Out(logits, id);

        static void Out(Span<float> logits, int id)
        {
            if ((uint)id < (uint)logits.Length) logits[id] = float.NegativeInfinity;
        }
    }

    private static void AddBias(Span<float> logits, IReadOnlyDictionary<int, float> bias)
    {
        foreach (var (id, value) in bias)
        {
            if ((uint)id < (uint)logits.Length) logits[id] += Math.Clamp(value, -100, 100);
        }
    }
}
