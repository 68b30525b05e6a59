using System.Text.Json;
using Quilt.Kernels.Devices;
using Quilt.Quantizer.Quality;
using Quilt.Runtime;

namespace Quilt.Tests.Quantizer.Quality;

/// <summary>What the CPU's fast paths cost beside the four bits of the weights, on each model that there is in FP8 and in FP8 + INT4.</summary>
[Category("Conformance")]
public sealed class FastPathQualityTests
{
    private static readonly EngineOptions Exact = new() { Threads = 2 };

    private static IEnumerable<string?> Models()
    {
        string?[] found = [.. Shared.Folders("models").Where(folder => folder is not null && Directory.Exists(Path.Combine(folder, "fp8")))];
        return found.Length == 0 ? [null] : found;
    }

    [TestCaseSource(nameof(Models))]
    public void Int8_activations_cost_a_fiftieth_of_what_int4_weights_do_at_most(string? folder) =>
        Costs(folder, Exact with { Activations = Activations.Int8 });

    [TestCaseSource(nameof(Models))]
    public void A_head_in_eight_bits_costs_a_fiftieth_of_what_int4_weights_do_at_most(string? folder) =>
        Costs(folder, Exact with { Head = HeadPrecision.EightBit });

    private static void Costs(string? folder, EngineOptions fast)
    {
        var input = QualityInput.FromTokens(Samples(Shared.Require(folder)));
        var (official, mixed) = (Path.Combine(folder!, "fp8"), Path.Combine(folder!, "fp8-int4"));
        var weights = QualityComparison.Run(mixed, official, input, Exact).Kl.Mean;
        var found = QualityComparison.Run(mixed, mixed, input, fast).Kl.Mean;
        TestContext.Out.WriteLine($"INT4 weights {weights:0.0000000} nats a token, beside that {found:0.0000000}: {found / weights:0.0%}");
        Assert.That(found, Is.GreaterThan(0).And.LessThanOrEqualTo(weights / 50));
    }

    /// <summary>The recorded conversations, prompt and reply: what the model is for.</summary>
    private static int[][] Samples(string folder)
    {
        using var reference = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "reference.json")));
        return [.. reference.RootElement.GetProperty("cases").EnumerateArray().Take(100)
            .Select(test => (int[])[.. Ids(test, "prompt_ids"), .. Ids(test, "ids")])];
    }

    private static IEnumerable<int> Ids(JsonElement test, string name) => test.GetProperty(name).EnumerateArray().Select(id => id.GetInt32());
}
