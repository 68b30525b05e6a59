using Quilt.Hosting.Http;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;

namespace Quilt.Hosting.OpenAi;

/// <summary>What requests of every kind say of themselves: how many replies, how urgent, whose cache.</summary>
internal static class RequestFields
{
    private const int MostSalt = 128;

    /// <summary>Reads it.</summary>
    /// <exception cref="ApiException">A field is not what it should be.</exception>
    public static GenerationRequest Read(Fields body, QuiltServerOptions server)
    {
        var choices = body.Int("n") ?? 1;
        if (choices < 1) throw ApiException.Bad($"n must be at least 1, got {choices}.");
        if (choices > GenerationRequest.MostChoices) throw ApiException.Bad($"n must be at most {GenerationRequest.MostChoices}, got {choices}.");
        var priority = body.Int("priority") ?? 0;
        if (priority is < -1000 or > 1000) throw ApiException.Bad($"priority must be in [-1000, 1000], got {priority}.", "priority");
        var cut = body.Int("truncate_prompt_tokens");
        if (cut is 0 or < -1) throw ApiException.Bad($"truncate_prompt_tokens must be -1 or at least 1, got {cut}.", "truncate_prompt_tokens");
        return new GenerationRequest
        {
            Choices = choices,
            Priority = priority,
            CacheSalt = Salt(body),
            Handover = KvTransferFields.Read(body, server),
            TruncatePrompt = cut,
            TruncateAt = body.Text("truncation_side") switch
            {
                null or "left" => PromptEnd.Start,
                "right" => PromptEnd.End,
                var other => throw ApiException.Bad($"truncation_side: expected left or right, found {Fields.Shown(other)}.", "truncation_side"),
            },
        };
    }

    /// <summary>Refuses several replies that would all be the same.</summary>
    /// <exception cref="ApiException">The request asks for them.</exception>
    public static void RefuseEqualChoices(Fields body, SamplingOptions sampling)
    {
        if (sampling.Temperature < 1e-5 && body.Int("n") is > 1 and var n)
            throw ApiException.Bad($"n must be 1 when using greedy sampling, got {n}.");
    }

    /// <summary>Refuses what would change the answer and is not built.</summary>
    /// <exception cref="ApiException">The request asks for it.</exception>
    public static void RefuseUnbuilt(Fields body)
    {
        foreach (var name in (ReadOnlySpan<string>)["audio", "modalities", "mm_processor_kwargs", "prompt_embeds"])
        {
            if (body.Any(name) is { } value && !(name == "modalities" && IsText(value)))
                throw ApiException.Bad($"{name}: expected none, this model reads and writes text alone.", name);
        }
    }

    private static bool IsText(System.Text.Json.JsonElement value) => value.ValueKind == System.Text.Json.JsonValueKind.Array
        && value.EnumerateArray().All(item => item.ValueKind == System.Text.Json.JsonValueKind.String && item.ValueEquals("text"));

    private static string? Salt(Fields body)
    {
        if (body.Text("cache_salt") is not { } salt) return null;
        if (salt.Length == 0) throw ApiException.Bad("Parameter 'cache_salt' must be a non-empty string if provided.", "cache_salt");
        if (salt.Length > MostSalt) throw ApiException.Bad($"Parameter 'cache_salt' must have at most {MostSalt} characters.", "cache_salt");
        return salt.AsSpan().ContainsAny("@/\\\0")
            ? throw ApiException.Bad("Parameter 'cache_salt' must not contain '@', '/', '\\' or NUL.", "cache_salt")
            : salt;
    }
}
