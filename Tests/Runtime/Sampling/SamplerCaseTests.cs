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
    public static IEnumerable<TestCaseData> Sampling() => Cases("sampler");

    public static IEnumerable<TestCaseData> Stopping() => Cases("stop_condition");

    [TestCaseSource(nameof(Sampling))]
    public void Logits_and_probabilities_are_the_reference_s(JsonElement? test)
    {
        var c = Given(test);
        var tolerance = c.TryGetProperty("tolerance", out var given) ? given.GetDouble() : 1e-5;
        var expected = c.GetProperty("expected");
        var logits = Reals(c.GetProperty("logits"));
        var output = Integers(c.GetProperty("output_token_ids"));
        var options = Options(c.GetProperty("params"));
        options.Validate();
        var state = new SamplerState(options, Integers(c.GetProperty("prompt_token_ids")), Integers(c.GetProperty("eos_or_stop_ids")));
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
        if (expected.TryGetProperty("support", out var support)) Assert.That(truncation.Ids.ToArray(), Is.EqualTo(Integers(support)));
    }

    [TestCaseSource(nameof(Stopping))]
    public void A_request_stops_where_the_reference_does(JsonElement? test)
    {
        var c = Given(test);
        var request = c.GetProperty("request");
        var eos = c.TryGetProperty("eos_token_id", out var end) && end.ValueKind == JsonValueKind.Number ? [end.GetInt32()] : Array.Empty<int>();
        var rule = new StopRule(Options(request), eos, int.MaxValue);
        var output = new List<int>();
        FinishReason? finished = null;
        foreach (var step in c.GetProperty("step_tokens").EnumerateArray())
        {
            if (finished is not null) break;
            var tokens = Integers(step);
            output.AddRange(tokens[..rule.Accept(tokens, out finished)]);
        }

        var expected = c.GetProperty("expected");
        Assert.That(finished is not null, Is.EqualTo(expected.GetProperty("finished").GetBoolean()));
        Assert.That(finished?.ToString().ToLowerInvariant(), Is.EqualTo(expected.GetProperty("finish_reason").GetString()));
        if (expected.GetProperty("output_token_ids").ValueKind == JsonValueKind.Array)
            Assert.That(output, Is.EqualTo(Integers(expected.GetProperty("output_token_ids"))));
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
                "stop_token_ids" => options with { StopTokens = Integers(value) },
                "ignore_eos" => options with { IgnoreEos = value.GetBoolean() },
                "seed" => options with { Seed = value.GetInt64() },
                "allowed_token_ids" => options with { AllowedTokens = Integers(value) },
                "bad_words_token_ids" => options with { BadWords = [.. value.EnumerateArray().Select(word => (IReadOnlyList<int>)Integers(word))] },
                "logit_bias" =>
                    options with { LogitBias = value.EnumerateObject().ToDictionary(bias => int.Parse(bias.Name), bias => bias.Value.GetSingle()) },
                var other => throw new NotSupportedException($"The parameter {other} is not known to this test."),
            };
        }
        return options;
    }

    // The files are told apart by what their cases are, not by their names.
    private static IEnumerable<TestCaseData> Cases(string kind)
    {
        var found = false;
        foreach (var file in Shared.Files("cases", "*.json"))
        {
            if (file is null) break;
            using var document = JsonDocument.Parse(File.ReadAllText(file));
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("cases", out var cases)) continue;
            foreach (var c in cases.EnumerateArray())
            {
                if (c.ValueKind != JsonValueKind.Object || !c.TryGetProperty("kind", out var its) || its.ValueKind != JsonValueKind.String
                    || its.GetString() != kind) continue;
                found = true;
                yield return new TestCaseData((JsonElement?)c.Clone()).SetArgDisplayNames(c.GetProperty("name").GetString()!);
            }
        }
        if (!found) yield return new TestCaseData((JsonElement?)null).SetArgDisplayNames("none");
    }

    private static JsonElement Given(JsonElement? test)
    {
        if (test is null) Assert.Ignore("No conformance data.");
        return test!.Value;
    }

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

    private static int[] Integers(JsonElement list) => [.. list.EnumerateArray().Select(x => x.GetInt32())];
}
