using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Ops;

namespace Quilt.Runtime.Sampling;

/// <summary>How tokens are chosen and when a reply ends. The steps apply in vLLM's order (docs/api.md, "Choosing a token").</summary>
public sealed record SamplingOptions
{
    /// <summary>Below this temperature the most likely token is taken.</summary>
    internal const double GreedyTemperature = 1e-5;

    /// <summary>Divides the logits. 0: always the most likely token, the lowest id among equals. Above 0 it counts as at least 0.01.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Nucleus: the least likely tokens are left out while their probabilities sum to no more than 1 − TopP. In (0, 1]; 1: off.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Only the TopK most likely tokens stay, and whatever ties with the last of them. 0 or −1: off.</summary>
    public int TopK { get; init; }

    /// <summary>Tokens with less than MinP times the probability of the most likely one are left out. 0: off.</summary>
    public double MinP { get; init; }

    /// <summary>Divides positive logits, and multiplies negative ones, of every token in the prompt or the output, once each. 1: off.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Subtracted from a token's logit for every time it is in the output. −2 to 2; 0: off.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>Subtracted from the logit of every token in the output, once. −2 to 2; 0: off.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>
    /// Makes the choices repeatable: the same seed, prompt and options give the same tokens, whatever else runs. Null: a random one.
    /// </summary>
    public long? Seed { get; init; }

    /// <summary>Longest output in tokens; null: as long as the sequence may be.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Tokens before which nothing ends the output.</summary>
    public int MinTokens { get; init; }

    /// <summary>Texts that end the output.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>Whether the text that ended the output is part of it.</summary>
    public bool IncludeStop { get; init; }

    /// <summary>
    /// Whether <see cref="Stop"/> is looked for in a reply's thinking and in the markup of its tool calls too, not in its answer alone. A text that
    /// is continued raw is all answer.
    /// </summary>
    public bool StopInThinking { get; init; }

    /// <summary>Token ids that end the output, beside the model's own.</summary>
    public IReadOnlyList<int> StopTokens { get; init; } = [];

    /// <summary>True: the model's end token is a token like any other.</summary>
    public bool IgnoreEos { get; init; }

    /// <summary>Added to logits, by token id; clamped to −100 … 100.</summary>
    public IReadOnlyDictionary<int, float> LogitBias { get; init; } = new Dictionary<int, float>();

    /// <summary>The only tokens there are; null: all.</summary>
    public IReadOnlyCollection<int>? AllowedTokens { get; init; }

    /// <summary>Sequences of token ids that may not come about: the last of one is out where the others have just been.</summary>
    public IReadOnlyList<IReadOnlyList<int>> BadWords { get; init; } = [];

    /// <summary>Whether each token comes with its log probability under the model's own distribution.</summary>
    public bool LogProbabilities { get; init; }

    /// <summary>How many of the most likely tokens come with each token, under the model's own distribution. 0 to 256; 0: none.</summary>
    public int TopLogProbabilities { get; init; }

    /// <summary>What a checkpoint asks for.</summary>
    internal static SamplingOptions From(GenerationDefaults defaults) => new()
    {
        Temperature = defaults.DoSample == false ? 0 : defaults.Temperature ?? 1,
        TopP = defaults.TopP ?? 1,
        TopK = defaults.TopK ?? 0,
        MinP = defaults.MinP ?? 0,
        RepetitionPenalty = defaults.RepetitionPenalty ?? 1,
        MaxTokens = defaults.MaxNewTokens,
    };

    /// <summary>Whether the most likely token is taken.</summary>
    internal bool IsGreedy => Temperature < GreedyTemperature;

    /// <summary>Whether tokens come with probabilities.</summary>
    internal bool WantsProbabilities => LogProbabilities || TopLogProbabilities > 0;

    /// <summary>The same options in collections of their own: a caller may change theirs while a request runs.</summary>
    /// <exception cref="ArgumentException">A collection is null.</exception>
    internal SamplingOptions Copy() => this with
    {
        Stop = [.. Given(Stop, nameof(Stop))],
        StopTokens = [.. Given(StopTokens, nameof(StopTokens))],
        LogitBias = new Dictionary<int, float>(Given(LogitBias, nameof(LogitBias))),
        AllowedTokens = AllowedTokens is null ? null : [.. AllowedTokens],
        BadWords = [.. Given(BadWords, nameof(BadWords)).Select(word => Given(word, nameof(BadWords)).ToArray())],
    };

    /// <summary>Checks ranges.</summary>
    /// <exception cref="ArgumentException">A value is out of its range; the message names it.</exception>
    internal void Validate()
    {
        Check(nameof(Temperature), Temperature, 0, 1e6);
        Check(nameof(TopP), TopP, double.Epsilon, 1);
        Check(nameof(TopK), TopK, -1, int.MaxValue);
        Check(nameof(MinP), MinP, 0, 1);
        Check(nameof(RepetitionPenalty), RepetitionPenalty, double.Epsilon, 1e6);
        Check(nameof(FrequencyPenalty), FrequencyPenalty, -2, 2);
        Check(nameof(PresencePenalty), PresencePenalty, -2, 2);
        Check(nameof(MaxTokens), MaxTokens ?? 1, 1, int.MaxValue);
        Check(nameof(MinTokens), MinTokens, 0, MaxTokens ?? int.MaxValue);
        Check(nameof(TopLogProbabilities), TopLogProbabilities, 0, TopKOp.MostK);
        if (Stop.Any(string.IsNullOrEmpty)) throw new ArgumentException("Stop: expected texts of at least one character, found an empty one.");
        if (BadWords.Any(word => word.Count == 0))
            throw new ArgumentException("BadWords: expected sequences of at least one token, found an empty one.");
        if (AllowedTokens is { Count: 0 }) throw new ArgumentException("AllowedTokens: expected at least one token, found none.");
        if (LogitBias.Values.Any(float.IsNaN)) throw new ArgumentException("LogitBias: expected numbers, found NaN.");
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
