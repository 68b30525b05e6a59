using Quilt.Quantizer.Quality;
using Quilt.Quantizer.Report;

namespace Quilt.Tests.Quantizer.Report;

/// <summary>Reports with made-up figures, of any size.</summary>
internal static class SampleReport
{
    /// <summary>A report of a model; the same arguments give the same figures.</summary>
    public static QuantizeReport Of(int layers, int experts, string model = "MiniMax-M2.5")
    {
        var random = new Random(7);
        return new QuantizeReport
        {
            Model = model,
            Output = $"/models/{model}-fp8-int4",
            Recipe = new("minimax-m2.5", "quant_stage:\n  quant_modifiers: {}\n", "0.14.0.1", [new("--memory", "64 GiB"), new("--routed", "no")]),
            Date = new DateTimeOffset(2026, 11, 28, 4, 12, 0, TimeSpan.Zero),
            Machine = "32 cores, 256 GiB",
            Seconds = 15_433.25,
            PeakMemoryBytes = 41L << 30,
            Calibration = experts == 0 ? null : new CalibrationReport(590, 2_345_678,
                [new("ultrachat_200k", 8, 12_345), new("dolly-15k", 8, 8_001), new("humaneval-rust", 574, 2_325_332)],
                [new("English", 480), new("German", 22), new("日本語", 14)], [new("Rust", 230), new("C#", 11), new("C++", 9)],
                ["the_stack: 8 samples were asked for, 5 are there"]),
            Layers = [.. Enumerable.Range(0, layers).Select(layer => Layer(layer, experts, random))],
            Sizes = new SizeReport(
            [
                new("experts", 224_680_476_672, 126_382_768_128), new("attention", 2_731_000_000, 2_731_000_000),
                new("embedding and head", 2_458_386_432, 2_458_386_432), new("routers", 195_035_136, 195_035_136),
                new("norms and biases", 1_700_000, 1_700_000),
            ], 253_952, 204_800),
            Quality = Quality(layers, experts > 0, random),
            Checks =
            [
                new("names", "tensors are those of the architecture", "ok", "143,719 tensors"),
                new("norm-ratio", "norms and weights were scaled alike", "warn", "layer 3: 14.6 %"),
                new("router", "routers were made up for", "fail", "layer 2: overlap 0.81"),
                new("greedy", "greedy replies agree", "skipped", "no prompts were given"),
            ],
            Warnings = ["layer 3: expert 17 saw no tokens"],
        };
    }

    private static LayerReport Layer(int layer, int experts, Random random)
    {
        var hard = layer % 17 == 3 ? 1.35 : 1;
        var before = hard * (0.105 + (0.02 * random.NextDouble()));
        return new LayerReport(layer)
        {
            Error = new(before, before * (0.82 + (0.1 * random.NextDouble()))),
            Router = experts == 0 ? null : new(1 - (0.001 * random.NextDouble()), 1 - (0.01 * random.NextDouble())),
            Ratios = experts == 0 ? [] : [Math.Round(random.NextDouble() * 0.6, 2)],
            MaxLog2Scale = 1 + (2 * random.NextDouble()),
            MedianLog2Scale = 0.2 + (0.2 * random.NextDouble()),
            Experts = [.. Enumerable.Range(0, experts).Select(expert => Expert(expert, hard, random))],
        };
    }

    private static ExpertReport Expert(int expert, double hard, Random random)
    {
        var tokens = expert % 97 == 5 ? random.Next(3) : (long)(300 * Math.Exp(3 * random.NextDouble()));
        var before = hard * (0.1 + (0.04 * random.NextDouble()) + (random.Next(400) == 0 ? 0.1 : 0));
        return new(tokens == 0 ? null : new(before, before * 0.88), Math.Round(random.NextDouble(), 2), tokens);
    }

    private static QualityResult Quality(int layers, bool routed, Random random) => new()
    {
        Model = "a",
        Official = "b",
        Samples = 1,
        Tokens = 976,
        Kl = new(0.0213, 0.0071, 0.31, 1.94),
        Top1Agreement = 0.953,
        Top1Probability = new(0.712, 0.705),
        Perplexity = new(5.1234, 5.2101),
        Layers =
        [
            .. Enumerable.Range(0, layers).Select(layer => new LayerQuality(layer, 0.01 * (layer + 1),
                routed ? new(new(1, 1), new(1 - (0.002 * layer) - (0.01 * random.NextDouble()), 0.9)) : null)),
        ],
    };
}
