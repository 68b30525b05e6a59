using Quilt.Hosting.Http;
using Quilt.Runtime.Sampling;

namespace Quilt.Hosting.OpenAi;

/// <summary>What a chat request says of log probabilities.</summary>
internal static class ProbabilityFields
{
    private const int MostTokens = 128;

    /// <summary>Adds them to what is sampled.</summary>
    /// <exception cref="ApiException">They do not fit each other or the server's bounds.</exception>
    public static SamplingOptions Read(Fields body, SamplingOptions sampling, QuiltServerOptions server, int vocabulary)
    {
        var wanted = body.Flag("logprobs") ?? false;
        var top = Count(body, "top_logprobs", server.MaxLogProbabilities, vocabulary) ?? 0;
        if (top != 0 && !wanted) throw ApiException.Bad("when using `top_logprobs`, `logprobs` must be set to true.", "top_logprobs");
        var named = body.Ids("logprob_token_ids", 1 << 20);
        if (named is not null)
        {
            if (!wanted) throw ApiException.Bad("when using `logprob_token_ids`, `logprobs` must be set to true.", "logprob_token_ids");
            if (named.Count > MostTokens)
            {
                throw ApiException.Bad($"Requested logprob_token_ids of length {named.Count}, which is greater than max allowed: {MostTokens}",
                    "logprob_token_ids");
            }
            named = SamplingFields.InVocabulary(body, "logprob_token_ids", MostTokens, vocabulary);
        }
        return !wanted ? sampling : sampling with
        {
            LogProbabilities = true,
            TopLogProbabilities = top,
            LogProbabilityTokens = named ?? [],
            LogProbabilityKind = server.LogProbabilityKind,
        };
    }

    /// <summary><c>prompt_logprobs</c>; null: not asked for.</summary>
    public static int? OfPrompt(Fields body, QuiltServerOptions server, int vocabulary, bool isStream)
    {
        var count = Count(body, "prompt_logprobs", server.MaxLogProbabilities, vocabulary);
        if (isStream && count is not null)
            throw ApiException.Bad("`prompt_logprobs` are not available when `stream=True`.", "prompt_logprobs");
        return count == -1 ? vocabulary : count;
    }

    private static int? Count(Fields body, string name, int most, int vocabulary)
    {
        if (body.Any(name) is not { } value) return null;
        if (Fields.Id(value) is null || value.TryGetDouble(out var real) is false) throw ApiException.Bad($"`{name}` must be an integer.", name);
        if (real is < 0 and not -1) throw ApiException.Bad($"`{name}` must be a positive value or -1.", name);
        if (real == -1)
        {
            return most == -1 ? -1
                : throw ApiException.Bad($"Requested {name} of {vocabulary}, which is greater than max allowed: {most}", name);
        }
        if (most != -1 && real > most)
            throw ApiException.Bad($"Requested {name} of {real:0}, which is greater than max allowed: {most}", name);
        return (int)Math.Min(real, vocabulary);
    }
}
