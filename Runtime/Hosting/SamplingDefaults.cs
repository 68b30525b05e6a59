using Quilt.Runtime.Sampling;

namespace Quilt.Hosting;

/// <summary>What a request gets that does not say; null: what the checkpoint's generation_config.json says, or what OpenAI's API does.</summary>
public sealed record SamplingDefaults
{
    /// <summary>See <see cref="SamplingOptions.Temperature"/>.</summary>
    public double? Temperature { get; set; }

    /// <summary>See <see cref="SamplingOptions.TopP"/>.</summary>
    public double? TopP { get; set; }

    /// <summary>See <see cref="SamplingOptions.TopK"/>.</summary>
    public int? TopK { get; set; }

    /// <summary>See <see cref="SamplingOptions.MinP"/>.</summary>
    public double? MinP { get; set; }

    /// <summary>See <see cref="SamplingOptions.RepetitionPenalty"/>.</summary>
    public double? RepetitionPenalty { get; set; }

    /// <summary>See <see cref="SamplingOptions.FrequencyPenalty"/>.</summary>
    public double? FrequencyPenalty { get; set; }

    /// <summary>See <see cref="SamplingOptions.PresencePenalty"/>.</summary>
    public double? PresencePenalty { get; set; }

    /// <summary>Longest reply, which a request cannot raise (max_new_tokens).</summary>
    public int? MaxNewTokens { get; set; }

    /// <summary>These on top of others.</summary>
    internal SamplingOptions Over(SamplingOptions below) => below with
    {
        Temperature = Temperature ?? below.Temperature,
        TopP = TopP ?? below.TopP,
        TopK = TopK ?? below.TopK,
        MinP = MinP ?? below.MinP,
        RepetitionPenalty = RepetitionPenalty ?? below.RepetitionPenalty,
        FrequencyPenalty = FrequencyPenalty ?? below.FrequencyPenalty,
        PresencePenalty = PresencePenalty ?? below.PresencePenalty,
        MaxTokens = MaxNewTokens ?? below.MaxTokens,
    };
}
