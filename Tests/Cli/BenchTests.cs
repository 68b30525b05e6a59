using System.Text.Json;

namespace Quilt.Tests.Cli;

/// <summary><c>bench</c> says the same to people and to programs, under names that stay.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class BenchTests
{
    private static readonly string[] Limits =
    [
        "read_gb_per_second", "l2_gb_per_second", "l1_gb_per_second", "int8_gop_per_second", "int8_dot256_gop_per_second", "int16_gop_per_second",
        "fma_gop_per_second", "int4_kernel_gop_per_second",
    ];

    private static readonly string[] Small =
        ["--prompt", "40", "--cached", "40", "--batch", "1,2", "--context", "20", "--steps", "2", "--repetitions", "1", "--threads", "2"];

    [Test]
    public async Task Limits_are_the_machines()
    {
        using var json = await Json(["bench", "--limits", "--repetitions", "1", "--json"]);
        var limits = json.RootElement.GetProperty("limits");
        Assert.That(limits.EnumerateObject().Select(p => p.Name), Is.EqualTo(Limits.SelectMany(name => new[] { name, $"{name}_median" })));
        Assert.That(limits.GetProperty("read_gb_per_second").GetDouble(), Is.Positive);

        var text = await QuiltProcess.Run(["bench", "--limits", "--repetitions", "1"]);
        Assert.That(text.Output.Split('\n').Where(line => line.StartsWith("  ", StringComparison.Ordinal)).Select(line => line.Trim().Split(' ')[0]),
            Is.EqualTo(Limits.Select(name => name.Replace("_gb_per_second", "").Replace("_gop_per_second", ""))));
    }

    [TestCase("float", "fma")]
    [TestCase("int8", "int8")]
    public async Task Results_stand_beside_both_bounds(string activations, string products)
    {
        using var json = await Json(["bench", "--json", "--activations", activations, .. Small]);
        var root = json.RootElement;
        var prefill = root.GetProperty("prefill")[0];
        Assert.That(Names(prefill), Is.EqualTo(new[]
        {
            "tokens", "tokens_per_second", "tokens_per_second_best", "gop_per_second", $"share_of_{products}", $"share_of_{products}_best",
        }));
        var limits = root.GetProperty("limits");
        Assert.That(prefill.GetProperty($"share_of_{products}").GetDouble(), Is.EqualTo(prefill.GetProperty("gop_per_second").GetDouble() /
            limits.GetProperty($"{products}_gop_per_second").GetDouble()).Within(1e-6).Percent);
        Assert.That(Names(limits).Where(name => !name.EndsWith("_median", StringComparison.Ordinal)),
            Is.EqualTo(new[] { "read_gb_per_second", $"{products}_gop_per_second" }));

        foreach (var decode in root.GetProperty("decode").EnumerateArray())
        {
            var sequences = decode.GetProperty("sequences").GetInt32();
            Assert.That(decode.GetProperty("bytes_bound_tokens_per_second").GetDouble(), Is.EqualTo(sequences *
                limits.GetProperty("read_gb_per_second").GetDouble() * 1e9 / decode.GetProperty("bytes_per_step").GetDouble()).Within(1e-6).Percent);
            Assert.That(decode.GetProperty("products_bound_tokens_per_second").GetDouble(), Is.EqualTo(sequences *
                limits.GetProperty($"{products}_gop_per_second").GetDouble() * 1e9 / decode.GetProperty("operations_per_step").GetDouble())
                .Within(1e-6).Percent);
            var nearer = decode.GetProperty($"{decode.GetProperty("nearer_bound").GetString()}_bound_tokens_per_second").GetDouble();
            Assert.That(nearer, Is.EqualTo(Math.Min(decode.GetProperty("bytes_bound_tokens_per_second").GetDouble(),
                decode.GetProperty("products_bound_tokens_per_second").GetDouble())));
            Assert.That(decode.GetProperty("share_of_nearer_bound").GetDouble(),
                Is.EqualTo(decode.GetProperty("tokens_per_second").GetDouble() / nearer).Within(1e-6).Percent);
        }
        Assert.That(Names(root), Has.No.Member("profile"));
    }

    [Test]
    public async Task A_profile_names_the_parts_of_a_step()
    {
        string[] arguments = ["bench", "--profile", "--activations", "int8", .. Small];
        using var json = await Json([.. arguments, "--json"]);
        var profiles = json.RootElement.GetProperty("profile");
        Assert.That(profiles.EnumerateArray().Select(p => p.GetProperty("case").GetString()),
            Is.EqualTo(new[] { "prefill 40", "decode 1", "decode 2" }));
        string[] parts =
        [
            "embed", "norm", "qkv", "rope", "write_kv", "attention", "output", "router", "route", "quantize_input", "gate_up", "activation", "down",
            "combine", "add", "gather", "head", "choose", "other",
        ];
        foreach (var profile in profiles.EnumerateArray())
        {
            var rows = profile.GetProperty("parts").EnumerateArray().ToArray();
            Assert.That(rows.Select(row => row.GetProperty("part").GetString()), Is.SubsetOf(parts).And.SupersetOf(new[] { "qkv", "down", "head" }));
            Assert.That(rows.Sum(row => row.GetProperty("share_of_step").GetDouble()), Is.EqualTo(1).Within(1e-9));
            Assert.That(rows.Sum(row => row.GetProperty("jobs_per_step").GetDouble()),
                Is.EqualTo(profile.GetProperty("jobs_per_step").GetDouble()).Within(1e-9));
            Assert.That(rows.Single(row => row.GetProperty("part").GetString() == "head").GetProperty("format").GetString(), Is.EqualTo("bf16"));
        }

        var text = await QuiltProcess.Run(arguments);
        Assert.That(text.Output, Does.Contain("profile   prefill 40: ").And.Contain("\n  gate_up ").And.Contain("int4 g32"), text.Errors);
    }

    private static async Task<JsonDocument> Json(string[] arguments)
    {
        var run = await QuiltProcess.Run(arguments);
        Assert.That(run.ExitCode, Is.Zero, run.Errors);
        return JsonDocument.Parse(run.Output);
    }

    private static string[] Names(JsonElement element) => [.. element.EnumerateObject().Select(p => p.Name)];
}
