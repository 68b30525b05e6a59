using System.Runtime.InteropServices;
using System.Text.Json;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;
using Quilt.Runtime.Scheduling;

namespace Quilt.Tests.Runtime.Sampling;

/// <summary>Penalties, truncation and stop rules against recorded numbers of another engine; a case's kind says what it is about.</summary>
[Category("Conformance")]
public sealed class SamplerCaseTests
{
    public static IEnumerable<TestCaseData> Sampling() => Cases.OfKind("sampler");

    public static IEnumerable<TestCaseData> Stopping() => Cases.OfKind("stop_condition");

    [TestCaseSource(nameof(Sampling))]
    public void Logits_and_probabilities_are_the_reference_s(JsonElement? test)
    {
        var c = Cases.Given(test);
        var tolerance = c.TryGetProperty("tolerance", out var given) ? given.GetDouble() : 1e-5;
        var expected = c.GetProperty("expected");
        var logits = Reals(c.GetProperty("logits"));
        var output = Cases.Integers(c.GetProperty("output_token_ids"));
        var options = Options(c.GetProperty("params"));
        options.Validate();
        var state = new SamplerState(options, Cases.Integers(c.GetProperty("prompt_token_ids")), Cases.Integers(c.GetProperty("eos_or_stop_ids")));
        foreach (var id in output) state.Accept(id);

        Penalties.Apply(logits, state, output);
        Near(logits, Reals(expected.GetProperty("logits_after_penalties")), tolerance);
        if (expected.TryGetProperty("argmax", out var argmax))
        {
            Assert.That(options.IsGreedy, Is.True);
            Assert.That(new Sampler().Sample(logits, new SamplerState(new SamplingOptions { Temperature = 0 }, []), []).Token,
                Is.EqualTo(argmax.GetInt32()));
        }
        if (!expected.TryGetProperty("probs", out var probs)) return;

        var truncation = new Truncation();
        truncation.Run(logits, options);
        var actual = new float[logits.Length];
        var total = truncation.Weights.ToArray().Sum();
        for (var i = 0; i < truncation.Ids.Length; i++) actual[truncation.Ids[i]] = (float)(truncation.Weights[i] / total);
        Near(actual, Reals(probs), tolerance);
        if (expected.TryGetProperty("support", out var support)) Assert.That(truncation.Ids.ToArray(), Is.EqualTo(Cases.Integers(support)));
    }

    [TestCaseSource(nameof(Stopping))]
    public void A_request_stops_where_the_reference_does(JsonElement? test)
    {
        var c = Cases.Given(test);
        var request = c.GetProperty("request");
        var eos = c.TryGetProperty("eos_token_id", out var end) && end.ValueKind == JsonValueKind.Number ? [end.GetInt32()] : Array.Empty<int>();
        var rule = new StopRule(Options(request), eos, int.MaxValue);
        var output = new List<int>();
        FinishReason? finished = null;
        foreach (var step in c.GetProperty("step_tokens").EnumerateArray())
        {
            if (finished is not null) break;
            var tokens = Cases.Integers(step);
            output.AddRange(tokens[..rule.Accept(tokens, out finished)]);
        }

        var expected = c.GetProperty("expected");
        Assert.That(finished is not null, Is.EqualTo(expected.GetProperty("finished").GetBoolean()));
        Assert.That(finished?.ToString().ToLowerInvariant(), Is.EqualTo(expected.GetProperty("finish_reason").GetString()));
        if (expected.GetProperty("output_token_ids").ValueKind == JsonValueKind.Array)
            Assert.That(output, Is.EqualTo(Cases.Integers(expected.GetProperty("output_token_ids"))));
        var reason = expected.GetProperty("stop_reason");
        Assert.That(rule.StopToken, Is.EqualTo(reason.ValueKind == JsonValueKind.Number ? reason.GetInt32() : null));
    }

    private static SamplingOptions Options(JsonElement p)
    {
        var options = new SamplingOptions();
        foreach (var entry in p.EnumerateObject())
        {
            var value = entry.Value;
            if (value.ValueKind == JsonValueKind.Null) continue;
            options = entry.Name switch
            {
                "temperature" => options with { Temperature = value.GetDouble() },
                "top_p" => options with { TopP = value.GetDouble() },
                "top_k" => options with { TopK = value.GetInt32() },
                "min_p" => options with { MinP = value.GetDouble() },
                "repetition_penalty" => options with { RepetitionPenalty = value.GetDouble() },
                "frequency_penalty" => options with { FrequencyPenalty = value.GetDouble() },
                "presence_penalty" => options with { PresencePenalty = value.GetDouble() },
                "max_tokens" => options with { MaxTokens = value.GetInt32() },
                "min_tokens" => options with { MinTokens = value.GetInt32() },
                "stop_token_ids" => options with { StopTokens = Cases.Integers(value) },
                "ignore_eos" => options with { IgnoreEos = value.GetBoolean() },
                "seed" => options with { Seed = value.GetInt64() },
                "allowed_token_ids" => options with { AllowedTokens = Cases.Integers(value) },
                "bad_words_token_ids" =>
                    options with { BadWords = [.. value.EnumerateArray().Select(word => (IReadOnlyList<int>)Cases.Integers(word))] },
                "repetition_detection" => options with { RepetitionGuard = Guard(value) },
                "logit_bias" =>
                    options with { LogitBias = value.EnumerateObject().ToDictionary(bias => int.Parse(bias.Name), bias => bias.Value.GetSingle()) },
                var other => throw new NotSupportedException($"The parameter {other} is not known to this test."),
            };
        }
        return options;
    }

    private static RepetitionGuard Guard(JsonElement p) => new()
    {
        MaxPatternSize = p.GetProperty("max_pattern_size").GetInt32(),
        MinPatternSize = p.TryGetProperty("min_pattern_size", out var least) ? Math.Max(1, least.GetInt32()) : 1,
        MinCount = p.GetProperty("min_count").GetInt32(),
    };

    private static void Near(float[] actual, float[] expected, double tolerance)
    {
        Assert.That(actual, Has.Length.EqualTo(expected.Length));
        for (var i = 0; i < actual.Length; i++)
        {
            if (float.IsInfinity(expected[i])) Assert.That(actual[i], Is.EqualTo(expected[i]), $"index {i}");
            else Assert.That(actual[i], Is.EqualTo(expected[i]).Within(tolerance), $"index {i}");
        }
    }

    // null stands for minus infinity, which JSON has not.
    private static float[] Reals(JsonElement list) =>
        [.. list.EnumerateArray().Select(x => x.ValueKind == JsonValueKind.Null ? float.NegativeInfinity : x.GetSingle())];
}
