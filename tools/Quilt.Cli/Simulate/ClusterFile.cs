using System.Text.Json;
using Quilt.Cluster.Routing;
using Quilt.Cluster.Simulation;
using Quilt.Formats;
using Quilt.Quantizer.Yaml;

namespace Quilt.Cli.Simulate;

/// <summary>The YAML file that describes a cluster to simulate (docs/simulation.md).</summary>
internal static class ClusterFile
{
    /// <summary>Reads a file.</summary>
    /// <exception cref="BadInputException">It is none; the message names file, key and line.</exception>
    public static ClusterSpec Read(string path) => Of(YamlNode.Read(path));

    /// <summary>What a document says.</summary>
    public static ClusterSpec Of(YamlNode root)
    {
        var spec = new ClusterSpec { Cost = Cost(root) };
        foreach (var (key, value) in root.Entries())
        {
            spec = key switch
            {
                "replicas" => spec with { Replicas = Whole(value, 1, 100_000) },
                "max_num_seqs" => spec with { Sequences = Whole(value, 1, 1 << 20) },
                "kv_tokens" => spec with { KvTokens = Whole(value, 1, 1 << 28) },
                "block_size" => spec with { BlockTokens = Whole(value, 1, 1 << 16) },
                "max_num_batched_tokens" => spec with { BatchedTokens = Whole(value, 1, 1 << 24) },
                "step_ms" => spec with { StepSeconds = Real(value) / 1000 },
                "announce_ms" => spec with { AnnounceSeconds = Real(value) / 1000 },
                "price_per_hour" => spec with { PricePerHour = Real(value) },
                "routing" => spec with { Routing = Routing(value) },
                "cost" or "bench" => spec,
                _ => throw value.Bad("replicas, max_num_seqs, kv_tokens, block_size, max_num_batched_tokens, step_ms, announce_ms, price_per_hour, " +
                    "routing, cost or bench", $"the key '{key}'"),
            };
        }
        return Checked(root, () =>
        {
            spec.Validate();
            return spec;
        });
    }

    private static RoutingOptions Routing(YamlNode node)
    {
        var options = new RoutingOptions();
        foreach (var (key, value) in node.Entries())
        {
            options = key switch
            {
                "sequence_tokens" => options with { SequenceTokens = Whole(value, 0, 1 << 20) },
                "busy_tokens" => options with { BusyTokens = Whole(value, 0, 1 << 30) },
                "prefix_min_match_length" => options with { MinMatchCharacters = Whole(value, 0, 1 << 30) },
                "kv_aware_threshold" => options with { KvThreshold = Whole(value, 0, 1 << 30) },
                "cache_threshold" => options with { CacheThreshold = Real(value) },
                "balance_abs_threshold" => options with { BalanceAbsolute = Whole(value, 0, 1 << 30) },
                "balance_rel_threshold" => options with { BalanceRelative = Real(value) },
                "max_tree_size" => options with { MaxTreeCharacters = Whole(value, 0, int.MaxValue) },
                "eviction_interval_secs" => options with { EvictionInterval = TimeSpan.FromSeconds(Real(value)) },
                "seed" => options with { Seed = Whole(value, 0, int.MaxValue) },
                _ => throw value.Bad("sequence_tokens, busy_tokens, prefix_min_match_length, kv_aware_threshold, cache_threshold, " +
                    "balance_abs_threshold, balance_rel_threshold, max_tree_size, eviction_interval_secs or seed", $"the key '{key}'"),
            };
        }
        return options;
    }

    private static CostModel Cost(YamlNode root)
    {
        if (root.Find("bench") is { } bench) return root.Find("cost") is { } both ? throw both.Bad("cost or bench", "both") : Bench(bench);
        var cost = root.Need("cost", "measured speeds, or 'bench' with a file of them");
        foreach (var (key, value) in cost.Entries())
        {
            if (key is not ("prefill" or "decode" or "found_tokens_per_second"))
                throw value.Bad("prefill, decode or found_tokens_per_second", $"the key '{key}'");
        }
        var found = cost.Find("found_tokens_per_second");
        return Checked(cost, () => new CostModel(Speeds(cost, "prefill", "tokens"), Speeds(cost, "decode", "sequences"),
            found is null ? double.PositiveInfinity : Real(found)));
    }

    private static MeasuredSpeed[] Speeds(YamlNode cost, string name, string size) =>
        [.. cost.Need(name, $"a list of {{{size}: N, tokens_per_second: N}}").Items().Select(item => new MeasuredSpeed(
            Whole(item.Need(size, "a whole number"), 1, 1 << 24), Real(item.Need("tokens_per_second", "a number"))))];

    // What `quilt bench --json` printed; the path is as seen from the YAML file.
    private static CostModel Bench(YamlNode node)
    {
        var path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(node.File))!, node.Text());
        var root = JsonText.ReadSettings(path);
        var prefill = Speeds(root, path, "prefill", "tokens", "tokens_per_second");
        var decode = Speeds(root, path, "decode", "sequences", "tokens_per_second");
        var cached = root.TryGetProperty("cached", out _) ? Speeds(root, path, "cached", "tokens", "found_tokens_per_second") : [];
        return Checked(node, () => new CostModel(prefill, decode, cached.Length == 0 ? double.PositiveInfinity
            : cached.MaxBy(speed => speed.Size).TokensPerSecond));
    }

    private static MeasuredSpeed[] Speeds(JsonElement root, string file, string name, string size, string speed)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty(name, out var list) || list.ValueKind != JsonValueKind.Array)
            throw new BadInputException(file, name, "expected a list, as 'quilt bench --json' prints it, found none");
        return [.. list.EnumerateArray().Select((item, i) => new MeasuredSpeed((int)Number(item, size, i), Number(item, speed, i)))];

        double Number(JsonElement item, string key, int at) =>
            item.ValueKind == JsonValueKind.Object && item.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Number
                && value.GetDouble() is > 0 and <= 1e12 and var number ? number
            : throw new BadInputException(file, $"{name}[{at}].{key}", "expected a number above 0, found none");
    }

    private static int Whole(YamlNode node, int min, int max) => (int)node.Whole(min, max);

    private static double Real(YamlNode node) =>
        node.Real() is >= 0 and <= 1e12 and var value ? value : throw node.Bad("a number from 0 on");

    private static T Checked<T>(YamlNode node, Func<T> make)
    {
        try
        {
            return make();
        }
        catch (ArgumentException bad)
        {
            throw new BadInputException(node.File, node.Path.Length == 0 ? null : node.Path, bad.Message, bad);
        }
    }
}
