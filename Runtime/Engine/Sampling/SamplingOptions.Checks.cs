namespace Quilt.Runtime.Sampling;

public sealed partial record SamplingOptions
{
    // What a request may ask for that costs something at every token.
    private const int MostStops = 256, MostStopCharacters = 1 << 16, MostStopTokens = 1024, MostBias = 1024, MostBadWords = 1024,
        MostBadWordTokens = 1 << 14, MostLogProbabilityTokens = 128, MostPatternSize = 1024;

    /// <summary>The same options in collections of their own: a caller may change theirs while a request runs.</summary>
    /// <exception cref="ArgumentException">A collection is null.</exception>
    internal SamplingOptions Copy() => this with
    {
        Stop = [.. Given(Stop, nameof(Stop))],
        StopTokens = [.. Given(StopTokens, nameof(StopTokens))],
        LogitBias = new Dictionary<int, float>(Given(LogitBias, nameof(LogitBias))),
        AllowedTokens = AllowedTokens is null ? null : [.. AllowedTokens],
        BadWords = [.. Given(BadWords, nameof(BadWords)).Select(word => Given(word, nameof(BadWords)).ToArray())],
        LogProbabilityTokens = [.. Given(LogProbabilityTokens, nameof(LogProbabilityTokens))],
    };

    /// <summary>Checks ranges.</summary>
    /// <param name="vocabulary">Tokens of the model; what names tokens is checked against them.</param>
    /// <exception cref="ArgumentException">A value is out of its range; the message names it.</exception>
    internal void Validate(int vocabulary = int.MaxValue)
    {
        Check(nameof(Temperature), Temperature, 0, 1e6);
        Check(nameof(TopP), TopP, double.Epsilon, 1);
        Check(nameof(TopK), TopK, -1, int.MaxValue);
        Check(nameof(MinP), MinP, 0, 1);
        Check(nameof(RepetitionPenalty), RepetitionPenalty, 1e-6, 1e6);        // what is smaller makes logits infinite
        Check(nameof(FrequencyPenalty), FrequencyPenalty, -2, 2);
        Check(nameof(PresencePenalty), PresencePenalty, -2, 2);
        Check(nameof(MaxTokens), MaxTokens ?? 1, 1, int.MaxValue);
        Check(nameof(MinTokens), MinTokens, 0, MaxTokens ?? int.MaxValue);
        Check(nameof(ThinkingBudget), ThinkingBudget ?? -1, -1, int.MaxValue);
        Check(nameof(TopLogProbabilities), TopLogProbabilities, -1, vocabulary);
        if (!Enum.IsDefined(LogProbabilityKind))
            throw new ArgumentException($"LogProbabilityKind: expected one of its names, found {(int)LogProbabilityKind}.");
        ValidateTexts();
        ValidateTokens(vocabulary);
        if (RepetitionGuard is not { } guard) return;
        Check("RepetitionGuard.MaxPatternSize", guard.MaxPatternSize, 1, MostPatternSize);
        Check("RepetitionGuard.MinPatternSize", guard.MinPatternSize, 1, guard.MaxPatternSize);
        Check("RepetitionGuard.MinCount", guard.MinCount, 2, 1 << 20);
    }

    private void ValidateTexts()
    {
        CheckCount(nameof(Stop), Stop.Count, MostStops, "texts");
        if (Stop.Any(string.IsNullOrEmpty)) throw new ArgumentException("Stop: expected texts of at least one character, found an empty one.");
        CheckCount(nameof(Stop), Stop.Sum(text => (long)text.Length), MostStopCharacters, "characters together");
    }

    private void ValidateTokens(int vocabulary)
    {
        CheckCount(nameof(StopTokens), StopTokens.Count, MostStopTokens, "tokens");
        CheckCount(nameof(LogitBias), LogitBias.Count, MostBias, "tokens");
        CheckCount(nameof(BadWords), BadWords.Count, MostBadWords, "sequences");
        CheckCount(nameof(BadWords), BadWords.Sum(word => (long)word.Count), MostBadWordTokens, "tokens together");
        CheckCount(nameof(LogProbabilityTokens), LogProbabilityTokens.Count, MostLogProbabilityTokens, "tokens");
        if (BadWords.Any(word => word.Count == 0))
            throw new ArgumentException("BadWords: expected sequences of at least one token, found an empty one.");
        if (AllowedTokens is { Count: 0 }) throw new ArgumentException("AllowedTokens: expected at least one token, found none.");
        if (LogitBias.Values.Any(float.IsNaN)) throw new ArgumentException("LogitBias: expected numbers, found NaN.");
        CheckIds(nameof(LogitBias), LogitBias.Keys, vocabulary);
        CheckIds(nameof(AllowedTokens), AllowedTokens ?? [], vocabulary);
        CheckIds(nameof(BadWords), BadWords.SelectMany(word => word), vocabulary);
        CheckIds(nameof(LogProbabilityTokens), LogProbabilityTokens, vocabulary);
    }

    private static void CheckIds(string name, IEnumerable<int> ids, int vocabulary)
    {
        foreach (var id in ids)
        {
            if ((uint)id >= (uint)vocabulary)
                throw new ArgumentException($"{name}: expected token ids from 0 to {vocabulary - 1}, found {id}.");
        }
    }

    private static void CheckCount(string name, long count, int most, string what)
    {
        if (count > most) throw new ArgumentException($"{name}: expected at most {most} {what}, found {count}.");
    }

    private static void Check(string name, double value, double least, double most)
    {
        if (!(value >= least && value <= most))
            throw new ArgumentException(
                FormattableString.Invariant($"{name}: expected {(least == double.Epsilon ? "more than 0" : $"{least}")} to {most}, found {value}."));
    }

    private static T Given<T>(T? collection, string name) where T : class =>
        collection ?? throw new ArgumentException($"{name}: expected a collection, found null.");
}
