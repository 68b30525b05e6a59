using System.CommandLine;
using Quilt.Runtime.Sampling;

namespace Quilt.Cli;

/// <summary>How tokens are chosen: the options of `chat` and `complete`. What is not given comes from the model's generation_config.json.</summary>
internal sealed class SamplingArguments
{
    private readonly Option<int?> maxTokens = TypedOption.Whole("--max-tokens", "Longest reply in tokens.");
    private readonly Option<double?> temperature = TypedOption.Real("--temperature", "0: always the most likely token.");
    private readonly Option<double?> topP = TypedOption.Real("--top-p", "Nucleus, in (0, 1].");
    private readonly Option<int?> topK = TypedOption.Whole("--top-k", "Tokens that stay in the draw; 0: all.");
    private readonly Option<double?> minP = TypedOption.Real("--min-p", "Least share of the most likely token's probability.");
    private readonly Option<double?> repetitionPenalty = TypedOption.Real("--repetition-penalty", "Divides the logits of tokens seen; 1: off.");
    private readonly Option<double?> frequencyPenalty = TypedOption.Real("--frequency-penalty", "Subtracted for every time a token was generated.");
    private readonly Option<double?> presencePenalty = TypedOption.Real("--presence-penalty", "Subtracted once for a token that was generated.");
    private readonly Option<string[]> stop = new("--stop") { Description = "Text that ends the reply; may be given several times." };
    private readonly Option<long?> seed = TypedOption.Long("--seed", "Makes the draw repeatable.");
    private readonly Option<bool> greedy = new("--greedy") { Description = "Always the most likely token (temperature 0)." };

    /// <summary>Adds all of them to a verb.</summary>
    public SamplingArguments AddTo(Command command)
    {
        command.Options.Add(maxTokens);
        AddChoiceTo(command);
        command.Options.Add(stop);
        command.Options.Add(seed);
        return this;
    }

    /// <summary>Adds those that say how a token is chosen, not when it ends.</summary>
    public SamplingArguments AddChoiceTo(Command command)
    {
        Option[] options = [temperature, topP, topK, minP, repetitionPenalty, frequencyPenalty, presencePenalty, greedy];
        foreach (var option in options) command.Options.Add(option);
        return this;
    }

    /// <summary>Checks what was given before a model is opened for it.</summary>
    /// <exception cref="UsageException">A value is out of its range.</exception>
    public void Check(ParseResult parsed) => Read(parsed, new SamplingOptions());

    /// <summary>The options that were given, on top of the model's own.</summary>
    /// <exception cref="UsageException">A value is out of its range.</exception>
    public SamplingOptions Read(ParseResult parsed, SamplingOptions defaults)
    {
        var options = defaults with
        {
            MaxTokens = parsed.GetValue(maxTokens) ?? defaults.MaxTokens,
            Temperature = parsed.GetValue(greedy) ? 0 : parsed.GetValue(temperature) ?? defaults.Temperature,
            TopP = parsed.GetValue(topP) ?? defaults.TopP,
            TopK = parsed.GetValue(topK) ?? defaults.TopK,
            MinP = parsed.GetValue(minP) ?? defaults.MinP,
            RepetitionPenalty = parsed.GetValue(repetitionPenalty) ?? defaults.RepetitionPenalty,
            FrequencyPenalty = parsed.GetValue(frequencyPenalty) ?? defaults.FrequencyPenalty,
            PresencePenalty = parsed.GetValue(presencePenalty) ?? defaults.PresencePenalty,
            Stop = parsed.GetValue(stop) ?? [],
            Seed = parsed.GetValue(seed) ?? defaults.Seed,
        };
        return Usage.Of(() =>
        {
            options.Validate();
            return options;
        });
    }
}
