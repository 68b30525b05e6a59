using Quilt.Formats.Checkpoints;

namespace Quilt.Runtime.Sampling;

/// <summary>How tokens are chosen and when a reply ends. The steps apply in vLLM's order (docs/api.md, "Choosing a token").</summary>
public sealed partial record SamplingOptions
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

    /// <summary>
    /// Divides positive logits, and multiplies negative ones, of every token in the prompt or the output, once each; 10⁻⁶ to 10⁶. 1: off.
    /// </summary>
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

    /// <summary>Texts that end the output; at most 256, of 65,536 characters together.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>Whether the text that ended the output is part of it.</summary>
    public bool IncludeStop { get; init; }

    /// <summary>
    /// Whether <see cref="Stop"/> is looked for in a reply's thinking and in the markup of its tool calls too, not in its answer alone. A text that
    /// is continued raw is all answer.
    /// </summary>
    public bool StopInThinking { get; init; }

    /// <summary>Whether special tokens are left out of the text; those that the reply's dialect speaks of never are.</summary>
    public bool SkipSpecialTokens { get; init; } = true;

    /// <summary>Token ids that end the output, beside the model's own; at most 1024.</summary>
    public IReadOnlyList<int> StopTokens { get; init; } = [];

    /// <summary>True: the model's end token is a token like any other.</summary>
    public bool IgnoreEos { get; init; }

    /// <summary>Added to logits, by token id; clamped to −100 … 100. At most 1024.</summary>
    public IReadOnlyDictionary<int, float> LogitBias { get; init; } = new Dictionary<int, float>();

    /// <summary>The only tokens there are; null: all.</summary>
    public IReadOnlyCollection<int>? AllowedTokens { get; init; }

    /// <summary>
    /// Sequences of token ids that may not come about: the last of one is out where the others have just been. At most 1024, of 16,384 tokens
    /// together.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<int>> BadWords { get; init; } = [];

    /// <summary>
    /// Most tokens of a conversation's reply that may be thinking, all of it together: then the marker that ends thinking is forced. 0: none; null or
    /// −1: any number. Needs a dialect in which thinking ends with a marker (<see cref="Engine.ReplyDialect"/>).
    /// </summary>
    public int? ThinkingBudget { get; init; }

    /// <summary>Ends an output that runs in circles (<see cref="FinishReason.Repetition"/>); null: none does.</summary>
    public RepetitionGuard? RepetitionGuard { get; init; }

    /// <summary>Whether each token comes with its log probability.</summary>
    public bool LogProbabilities { get; init; }

    /// <summary>How many of the most likely tokens come with each token. 0: none; −1: all that can come at all.</summary>
    public int TopLogProbabilities { get; init; }

    /// <summary>Tokens whose log probabilities come with each token, whatever they are; at most 128.</summary>
    public IReadOnlyList<int> LogProbabilityTokens { get; init; } = [];

    /// <summary>Which distribution log probabilities are of, and whether logits come in their place.</summary>
    public LogProbabilityKind LogProbabilityKind { get; init; }

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
    internal bool WantsProbabilities => LogProbabilities || TopLogProbabilities != 0 || LogProbabilityTokens.Count > 0;

    /// <summary>Whether those are of the distribution that tokens are drawn from.</summary>
    internal bool WantsProcessed => WantsProbabilities && LogProbabilityKind >= LogProbabilityKind.Processed;
}
