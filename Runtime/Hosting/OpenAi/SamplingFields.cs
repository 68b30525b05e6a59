using System.Globalization;
using System.Text.Json;
using Quilt.Formats.Tokenizers;
using Quilt.Hosting.Http;
using Quilt.Runtime.Sampling;

namespace Quilt.Hosting.OpenAi;

/// <summary>
/// What a request says of how tokens are chosen, on top of the server's defaults: OpenAI's fields and vLLM's, checked in vLLM's words.
/// </summary>
internal static class SamplingFields
{
    private const int MostIds = 1 << 20;
    private const int MostStops = 256;
    private const int MostBadWords = 1024;
    private const int MostBadCharacters = 1 << 16;

    /// <summary>Reads them.</summary>
    /// <param name="body">The request.</param>
    /// <param name="defaults">The server's.</param>
    /// <param name="tokenizer">Of the model; null: bad words cannot be told.</param>
    /// <param name="vocabulary">Tokens that the model has.</param>
    /// <param name="ignoresLength">Whether the caller looks after the lengths itself.</param>
    /// <exception cref="ApiException">A value is out of its range.</exception>
    public static SamplingOptions Read(Fields body, SamplingOptions defaults, Tokenizer? tokenizer, int vocabulary, bool ignoresLength = false)
    {
        if (body.Flag("use_beam_search") == true) throw ApiException.NotBuilt("use_beam_search: beam search is not built.", "use_beam_search");
        var read = defaults with
        {
            Temperature = Number(body, "temperature", value => value >= 0, "temperature must be non-negative", isParam: true) ?? defaults.Temperature,
            TopP = Number(body, "top_p", value => value is > 0 and <= 1, "top_p must be in (0, 1]", isParam: true) ?? defaults.TopP,
            TopK = Whole(body, "top_k", value => value >= -1, "top_k must be 0 (disable), or at least 1") ?? defaults.TopK,
            MinP = Number(body, "min_p", value => value is >= 0 and <= 1, "min_p must be in [0, 1]") ?? defaults.MinP,
            RepetitionPenalty = Number(body, "repetition_penalty", value => value is >= 1e-6 and <= 1e6,
                "repetition_penalty must be greater than zero")
                ?? defaults.RepetitionPenalty,
            FrequencyPenalty = Number(body, "frequency_penalty", value => value is >= -2 and <= 2, "frequency_penalty must be in [-2, 2]")
                ?? defaults.FrequencyPenalty,
            PresencePenalty = Number(body, "presence_penalty", value => value is >= -2 and <= 2, "presence_penalty must be in [-2, 2]")
                ?? defaults.PresencePenalty,
            Seed = body.Long("seed") is { } seed and not -1 ? seed : defaults.Seed,
            Stop = Stops(body) ?? defaults.Stop,
            IncludeStop = body.Flag("include_stop_str_in_output") ?? false,
            StopTokens = InVocabulary(body, "stop_token_ids", 1024, vocabulary) ?? defaults.StopTokens,
            IgnoreEos = body.Flag("ignore_eos") ?? false,
            SkipSpecialTokens = body.Flag("skip_special_tokens") ?? true,
            LogitBias = Bias(body, vocabulary) ?? defaults.LogitBias,
            AllowedTokens = Allowed(body, vocabulary),
            BadWords = BadWords(body, tokenizer),
            ThinkingBudget = Thinking(body),
            RepetitionGuard = Guard(body),
        };
        return ignoresLength ? read : Lengths(body, read, defaults);
    }

    // What the server's configuration gives for a length is a bound, whatever a request asks for.
    private static SamplingOptions Lengths(Fields body, SamplingOptions read, SamplingOptions defaults)
    {
        int? asked = Whole(body, "max_completion_tokens", value => value >= 1, "max_tokens must be at least 1", "max_tokens");
        asked ??= Whole(body, "max_tokens", value => value >= 1, "max_tokens must be at least 1", "max_tokens");
        var least = Whole(body, "min_tokens", value => value >= 0, "min_tokens must be greater than or equal to 0") ?? 0;
        if (least > asked)
            throw ApiException.Bad($"min_tokens must be less than or equal to max_tokens={asked}, got {least}.");
        var most = asked is null ? defaults.MaxTokens : Math.Min(asked.Value, defaults.MaxTokens ?? int.MaxValue);
        return read with { MaxTokens = most, MinTokens = Math.Min(least, most ?? int.MaxValue) };
    }

    private static string[]? Stops(Fields body)
    {
        if (body.Texts("stop", MostStops) is not { } stops) return null;
        return stops.Any(string.IsNullOrEmpty) ? throw ApiException.Bad("stop cannot contain an empty string.") : [.. stops];
    }

    private static Dictionary<int, float>? Bias(Fields body, int vocabulary)
    {
        if (body.Object("logit_bias") is not { } given) return null;
        var bias = new Dictionary<int, float>();
        foreach (var property in given.Element.EnumerateObject())
        {
            if (bias.Count == 1024) throw ApiException.Bad("logit_bias: expected at most 1024 tokens, found more.", "logit_bias");
            if (property.Value.ValueKind != JsonValueKind.Number || !property.Value.TryGetDouble(out var value) || !double.IsFinite(value))
                throw given.Wrong(Fields.Shown(property.Name), property.Value, "a number");
            if (!int.TryParse(property.Name, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var id))
                throw ApiException.Bad($"logit_bias: expected token ids as keys, found {Fields.Shown(property.Name)}.", "logit_bias");
            if ((uint)id >= (uint)vocabulary)
                throw ApiException.Bad($"token_id(s) [{id}] in logit_bias contain out-of-vocab token ids. Vocabulary size: {vocabulary}",
                    "logit_bias");
            bias[id] = (float)Math.Clamp(value, -100, 100);
        }
        return bias;
    }

    private static IReadOnlyList<int>? Allowed(Fields body, int vocabulary)
    {
        var ids = InVocabulary(body, "allowed_token_ids", MostIds, vocabulary);
        return ids is { Count: 0 } ? throw ApiException.Bad("allowed_token_ids is not None and empty!", "allowed_token_ids") : ids;
    }

    /// <summary>Token ids that the model has.</summary>
    public static IReadOnlyList<int>? InVocabulary(Fields body, string name, int most, int vocabulary)
    {
        if (body.Ids(name, most) is not { } ids) return null;
        foreach (var id in ids)
        {
            if ((uint)id >= (uint)vocabulary)
                throw ApiException.Bad($"token_id(s) [{id}] in {name} contain out-of-vocab token ids. Vocabulary size: {vocabulary}", name);
        }
        return ids;
    }

    // A word may stand behind a space, which makes other tokens of it.
    private static IReadOnlyList<IReadOnlyList<int>> BadWords(Fields body, Tokenizer? tokenizer)
    {
        if (body.Texts("bad_words", MostBadWords / 2) is not { } words) return [];
        if (words.Any(string.IsNullOrEmpty)) throw ApiException.Bad("bad_words cannot contain an empty string");
        if (tokenizer is null) throw ApiException.Bad("bad_words: expected a model with a tokenizer, found none.", "bad_words");
        if (words.Sum(word => (long)word.Length) > MostBadCharacters)
            throw ApiException.Bad($"bad_words: expected at most {MostBadCharacters} characters together, found more.", "bad_words");
        var sequences = new List<IReadOnlyList<int>>();
        foreach (var word in words)
        {
            var plain = tokenizer.Encode(word);
            var spaced = tokenizer.Encode(" " + word.TrimStart());
            if (plain.Length > 0) sequences.Add(plain);
            if (spaced.Length > 0 && spaced.Length == plain.Length && spaced[0] != plain[0]) sequences.Add(spaced);
        }
        return sequences;
    }

    private static int? Thinking(Fields body)
    {
        const string Expected = "thinking_token_budget must be a non-negative integer, or -1 for no bound";
        if (body.Any("thinking_token_budget") is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out var budget) || budget < -1)
            throw ApiException.Bad($"{Expected}, got {Fields.Shown(value)}.");
        return budget;
    }

    private static RepetitionGuard? Guard(Fields body)
    {
        if (body.Object("repetition_detection") is not { } given) return null;
        var usual = new RepetitionGuard();
        return new RepetitionGuard
        {
            MaxPatternSize = given.Int("max_pattern_size") ?? usual.MaxPatternSize,
            MinPatternSize = given.Int("min_pattern_size") ?? usual.MinPatternSize,
            MinCount = given.Int("min_count") ?? usual.MinCount,
        };
    }

    private static double? Number(Fields body, string name, Func<double, bool> isGood, string expected, bool isParam = false) =>
        body.Number(name) is not { } value ? null
        : isGood(value) ? value
        : throw ApiException.Bad(string.Create(CultureInfo.InvariantCulture, $"{expected}, got {value}."), isParam ? name : null);

    private static int? Whole(Fields body, string name, Func<int, bool> isGood, string expected, string? param = null) =>
        body.Int(name) is not { } value ? null : isGood(value) ? value : throw ApiException.Bad($"{expected}, got {value}.", param);
}
