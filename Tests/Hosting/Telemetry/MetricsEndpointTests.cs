using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Quilt.Hosting;
using Quilt.Hosting.Telemetry;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;

namespace Quilt.Tests.Hosting.Telemetry;

/// <summary>What a scraper finds at /metrics is what vLLM's dashboards look for, and true.</summary>
public sealed class MetricsEndpointTests
{
    private const string Tiny = "{engine=\"0\",model_name=\"tiny\"}";
    private const string Latency =
        "0.3 0.5 0.8 1.0 1.5 2.0 2.5 5.0 10.0 15.0 20.0 30.0 40.0 50.0 60.0 120.0 240.0 480.0 960.0 1920.0 7680.0 +Inf";
    private const string InterToken = "0.01 0.025 0.05 0.075 0.1 0.15 0.2 0.3 0.4 0.5 0.75 1.0 2.5 5.0 7.5 10.0 20.0 40.0 80.0 +Inf";

    private static readonly (string Name, string Type)[] Expected =
    [
        ("vllm:num_requests_running", "gauge"), ("vllm:num_requests_waiting", "gauge"), ("vllm:kv_cache_usage_perc", "gauge"),
        ("vllm:gpu_cache_usage_perc", "gauge"), ("vllm:cache_config_info", "gauge"), ("vllm:prompt_tokens_total", "counter"),
        ("vllm:generation_tokens_total", "counter"), ("vllm:prefix_cache_queries_total", "counter"), ("vllm:prefix_cache_hits_total", "counter"),
        ("vllm:gpu_prefix_cache_queries_total", "counter"), ("vllm:gpu_prefix_cache_hits_total", "counter"),
        ("vllm:num_preemptions_total", "counter"), ("vllm:request_success_total", "counter"), ("vllm:time_to_first_token_seconds", "histogram"),
        ("vllm:inter_token_latency_seconds", "histogram"), ("vllm:time_per_output_token_seconds", "histogram"),
        ("vllm:request_time_per_output_token_seconds", "histogram"), ("vllm:e2e_request_latency_seconds", "histogram"),
        ("vllm:request_queue_time_seconds", "histogram"), ("vllm:request_inference_time_seconds", "histogram"),
        ("vllm:request_prefill_time_seconds", "histogram"), ("vllm:request_decode_time_seconds", "histogram"),
        ("vllm:request_prompt_tokens", "histogram"), ("vllm:request_generation_tokens", "histogram"),
        ("vllm:request_max_num_generation_tokens", "histogram"), ("vllm:request_params_n", "histogram"),
        ("vllm:request_params_max_tokens", "histogram"), ("vllm:iteration_tokens_total", "histogram"),
        ("vllm:request_prefill_kv_computed_tokens", "histogram"), ("vllm:request_num_preemptions", "histogram"),
        ("quilt:step_duration_seconds", "histogram"), ("quilt:tier_hit_tokens_total", "counter"),
    ];

    private Exposition fresh = null!;

    // Of a model for 256 tokens, loaded and not used yet.
    [OneTimeSetUp]
    public async Task Load()
    {
        await using var watched = new WatchedModels();
        using var lease = await watched.Models.UseAsync(null, default);
        Assert.That(lease.Engine.MaxTokens, Is.EqualTo(256));
        fresh = new Exposition(watched.Scrape());
    }

    [Test]
    public async Task Names_and_types_are_vllms_and_there_before_the_first_request()
    {
        await using var watched = new WatchedModels();
        Assert.That(new Exposition(watched.Scrape()).Types.Keys, Is.EquivalentTo(Expected.Select(one => one.Name)), "a model that is not loaded");
        using (await watched.Models.UseAsync(null, default))
        {
            var page = new Exposition(watched.Scrape());
            foreach (var (name, type) in Expected)
            {
                Assert.That(page.Types[name], Is.EqualTo(type), name);
                // The request that warms up is nobody's: nothing is counted yet.
                if (type != "histogram" && !name.EndsWith("_info", StringComparison.Ordinal))
                    Assert.That(page.Samples.Where(sample => sample.Key.StartsWith(name + "{", StringComparison.Ordinal)),
                        Is.Not.Empty.And.All.Matches<KeyValuePair<string, double>>(sample => sample.Value == 0), name);
                else if (type == "histogram")
                    Assert.That((page[$"{name}_count{Tiny}"], page[$"{name}_sum{Tiny}"]), Is.EqualTo((0, 0)), name);
            }
            Assert.That(page.Samples.Keys, Has.Some.Match(
                "^vllm:cache_config_info\\{engine=\"0\",block_size=\"16\",cache_dtype=\"\\w+\"," +
                "enable_prefix_caching=\"True\",num_gpu_blocks=\"[1-9]"));
            Assert.That(page.Labels["engine"], Is.EqualTo(new[] { "0" }));
            Assert.That(page.Labels["finished_reason"], Is.EquivalentTo(new[] { "stop", "length", "abort", "error", "repetition" }));
        }
    }

    [TestCase("vllm:e2e_request_latency_seconds", Latency)]
    [TestCase("vllm:request_queue_time_seconds", Latency)]
    [TestCase("vllm:request_inference_time_seconds", Latency)]
    [TestCase("vllm:request_prefill_time_seconds", Latency)]
    [TestCase("vllm:request_decode_time_seconds", Latency)]
    [TestCase("vllm:inter_token_latency_seconds", InterToken)]
    [TestCase("vllm:time_per_output_token_seconds", InterToken)]
    [TestCase("vllm:request_time_per_output_token_seconds", InterToken)]
    [TestCase("vllm:time_to_first_token_seconds", "0.001 0.005 0.01 0.02 0.04 0.06 0.08 0.1 0.25 0.5 0.75 1.0 2.5 5.0 7.5 10.0 20.0 40.0 80.0 " +
        "160.0 640.0 2560.0 +Inf")]
    [TestCase("vllm:iteration_tokens_total", "1.0 8.0 16.0 32.0 64.0 128.0 256.0 512.0 1024.0 2048.0 4096.0 8192.0 16384.0 +Inf")]
    [TestCase("vllm:request_params_n", "1.0 2.0 5.0 10.0 20.0 +Inf")]
    [TestCase("vllm:request_num_preemptions", "1.0 2.0 3.0 4.0 5.0 10.0 20.0 +Inf")]
    [TestCase("vllm:request_prompt_tokens", "1.0 2.0 5.0 10.0 20.0 50.0 100.0 200.0 +Inf")]
    [TestCase("vllm:request_generation_tokens", "1.0 2.0 5.0 10.0 20.0 50.0 100.0 200.0 +Inf")]
    [TestCase("vllm:request_max_num_generation_tokens", "1.0 2.0 5.0 10.0 20.0 50.0 100.0 200.0 +Inf")]
    [TestCase("vllm:request_params_max_tokens", "1.0 2.0 5.0 10.0 20.0 50.0 100.0 200.0 +Inf")]
    [TestCase("vllm:request_prefill_kv_computed_tokens", "1.0 2.0 5.0 10.0 20.0 50.0 100.0 200.0 +Inf")]
    public void Buckets_are_vllms(string name, string bounds)
    {
        var prefix = $"{name}_bucket{{engine=\"0\",le=\"";
        Assert.That(fresh.Samples.Keys.Where(sample => sample.StartsWith(prefix, StringComparison.Ordinal))
            .Select(sample => sample[prefix.Length..sample.IndexOf('"', prefix.Length)]), Is.EqualTo(bounds.Split(' ')));
    }

    [Test]
    public async Task Counts_are_those_of_the_requests()
    {
        await using var watched = new WatchedModels();
        var twice = Enumerable.Range(40, 40).ToArray();
        var first = await watched.RunAsync(new GenerationRequest { Tokens = twice, Sampling = WatchedModels.Greedy(5) });
        var all = first.Concat(await watched.RunAsync(
            new GenerationRequest { Tokens = [5, 6, 7], Sampling = WatchedModels.Greedy(1) },
            new GenerationRequest { Tokens = twice, Sampling = WatchedModels.Greedy(9) },
            new GenerationRequest { Tokens = [9, 8], Choices = 3, Sampling = new SamplingOptions { Seed = 1, MaxTokens = 4, IgnoreEos = true } }))
            .Select(one => one.Stats).ToArray();
        var page = new Exposition(watched.Scrape());
        Assert.Multiple(() =>
        {
            var generated = all.Sum(one => one.GeneratedTokens);
            Assert.That(page["vllm:prompt_tokens_total" + Tiny], Is.EqualTo(all.Sum(one => one.PromptTokens)));
            Assert.That(page["vllm:generation_tokens_total" + Tiny], Is.EqualTo(generated));
            Assert.That(page["vllm:request_prompt_tokens_sum" + Tiny], Is.EqualTo(all.Sum(one => one.PromptTokens)));
            Assert.That(page["vllm:request_generation_tokens_sum" + Tiny], Is.EqualTo(generated));
            Assert.That(page["vllm:request_prefill_kv_computed_tokens_sum" + Tiny], Is.EqualTo(all.Sum(one => one.PromptTokens - one.CachedTokens)));
            Assert.That(page["vllm:prefix_cache_queries_total" + Tiny], Is.EqualTo(all.Sum(one => one.PromptTokens)));
            Assert.That(page["vllm:prefix_cache_hits_total" + Tiny], Is.EqualTo(all.Sum(one => one.CachedTokens)));
            Assert.That(page["vllm:gpu_prefix_cache_hits_total" + Tiny], Is.EqualTo(page["vllm:prefix_cache_hits_total" + Tiny]));
            Assert.That(page["vllm:request_success_total{engine=\"0\",finished_reason=\"length\",model_name=\"tiny\"}"], Is.EqualTo(all.Length));
            Assert.That(page["vllm:time_to_first_token_seconds_count" + Tiny], Is.EqualTo(all.Length));
            Assert.That(page["vllm:inter_token_latency_seconds_count" + Tiny], Is.EqualTo(generated - all.Length));
            Assert.That(page["vllm:time_per_output_token_seconds_count" + Tiny], Is.EqualTo(generated - all.Length));
            Assert.That(page["vllm:request_time_per_output_token_seconds_count" + Tiny], Is.EqualTo(all.Count(one => one.GeneratedTokens > 1)));
            Assert.That(page["vllm:e2e_request_latency_seconds_count" + Tiny], Is.EqualTo(all.Length));
            Assert.That(page["vllm:e2e_request_latency_seconds_sum" + Tiny], Is.EqualTo(all.Sum(one => one.TotalTime.TotalSeconds)).Within(1e-9));
            Assert.That(page["vllm:request_params_max_tokens_sum" + Tiny], Is.EqualTo(5 + 1 + 9 + 3 * 4));
            // A request of three choices is one request.
            Assert.That(page["vllm:request_params_n_count" + Tiny], Is.EqualTo(4));
            Assert.That(page["vllm:request_params_n_sum" + Tiny], Is.EqualTo(6));
            Assert.That(page["vllm:request_max_num_generation_tokens_sum" + Tiny], Is.EqualTo(5 + 1 + 9 + 4));
            // A step computes what is not cached, and every token but the last of a reply.
            Assert.That(page["vllm:iteration_tokens_total_sum" + Tiny],
                Is.EqualTo(all.Sum(one => one.PromptTokens - one.CachedTokens + one.GeneratedTokens - 1)));
            Assert.That(page["quilt:step_duration_seconds_count" + Tiny], Is.EqualTo(page["vllm:iteration_tokens_total_count" + Tiny]));
            Assert.That(page["vllm:num_requests_running" + Tiny], Is.Zero);
        });
    }

    [Test]
    public async Task Times_between_tokens_add_up_to_the_times_of_replies()
    {
        const string Sum = "vllm:inter_token_latency_seconds_sum" + Tiny;
        await using var watched = new WatchedModels();
        var request = new GenerationRequest { Tokens = [5], Sampling = WatchedModels.Greedy(200) };
        await watched.RunAsync(request);
        var before = new Exposition(watched.Scrape())[Sum];
        var second = await watched.RunAsync(request, request with { Tokens = [6] });
        Assert.That(new Exposition(watched.Scrape())[Sum] - before,
            Is.EqualTo(second.Sum(one => one.Stats.GenerationTime.TotalSeconds)).Within(20).Percent);
    }

    [Test]
    public async Task Gauges_and_reasons_follow_a_request_that_is_given_up()
    {
        await using var watched = new WatchedModels();
        using var holding = new BlockingObserver();
        watched.Models.Observer = _ => holding;
        watched.Watch.Attach(watched.Models);
        using var lease = await watched.Models.UseAsync(null, default);
        // The engine is held behind a step of the request: what is written is what was after it.
        holding.HoldsSteps = true;
        var given = lease.Submit(new GenerationRequest { Tokens = [5], Sampling = WatchedModels.Greedy(200) }, default)[0];
        holding.Reached.Wait();
        var page = new Exposition(watched.Scrape());
        Assert.That(page["vllm:num_requests_running" + Tiny], Is.EqualTo(1));
        Assert.That(page["vllm:kv_cache_usage_perc" + Tiny], Is.GreaterThan(0).And.EqualTo(page["vllm:gpu_cache_usage_perc" + Tiny]));
        given.Cancel();
        holding.HoldsSteps = false;
        holding.Release.Set();
        await lease.Engine.ResetPrefixCacheAsync();
        var after = new Exposition(watched.Scrape());
        Assert.That(after["vllm:num_requests_running" + Tiny], Is.Zero);
        Assert.That(after["vllm:request_success_total{engine=\"0\",finished_reason=\"abort\",model_name=\"tiny\"}"], Is.EqualTo(1));
    }

    [Test]
    public async Task A_model_that_is_dropped_and_loaded_again_goes_on_counting()
    {
        var time = new ManualTime();
        await using var watched = new WatchedModels(options =>
        {
            options.Models["other"] = options.Model!;
            (options.Model, options.IdleTime) = (null, TimeSpan.FromMinutes(1));
        }, time);
        var request = new GenerationRequest { Tokens = [5], Sampling = WatchedModels.Greedy(7) };
        await watched.RunAsync(request);
        time.Advance(TimeSpan.FromMinutes(2));
        watched.Models.DropIdle();
        Assert.That(watched.Models.All[0].Engine, Is.Null);
        Assert.That(new Exposition(watched.Scrape())["vllm:generation_tokens_total{engine=\"0\",model_name=\"other\"}"], Is.EqualTo(7));
        await watched.RunAsync(request);
        Assert.That(new Exposition(watched.Scrape())["vllm:generation_tokens_total{engine=\"0\",model_name=\"other\"}"], Is.EqualTo(14));
        Assert.That(watched.Log.Lines.Select(line => line.Id), Is.EqualTo(new[] { 3, 4, 5, 3, 4 }), "loading, loaded, dropped, and again");
    }

    [Test]
    public async Task Names_of_models_are_escaped_and_the_only_names_there_are()
    {
        const string Odd = "a\"b\\c\nd é";
        await using var watched = new WatchedModels(name: Odd, tokenizer: true);
        await watched.RunAsync(new GenerationRequest { Text = "never in a label", Sampling = WatchedModels.Greedy(2) });
        var text = watched.Scrape();
        var page = new Exposition(text);
        Assert.That(page.Labels["model_name"], Is.EqualTo(new[] { Odd }));
        Assert.That(page.Labels.Keys, Is.EquivalentTo(new[]
            { "engine", "model_name", "le", "finished_reason", "block_size", "cache_dtype", "enable_prefix_caching", "num_gpu_blocks", "tier" }));
        Assert.That(text, Does.Not.Contain("never in a label"));
    }

    [TestCase(1, "1.0")]
    [TestCase(0.025, "0.025")]
    [TestCase(16384, "16384.0")]
    [TestCase(200000, "200000.0")]
    [TestCase(1000000, "1e+06")]
    [TestCase(5453083, "5.453083e+06")]
    [TestCase(1234567.875, "1.234567875e+06")]
    [TestCase(20000000000, "2e+10")]
    [TestCase(0, "0.0")]
    [TestCase(double.PositiveInfinity, "+Inf")]
    public void Numbers_are_written_as_prometheus_client_writes_them(double value, string expected)
    {
        Assert.That(PrometheusText.Number(value), Is.EqualTo(expected));
        if (double.IsFinite(value)) Assert.That(double.Parse(expected, CultureInfo.InvariantCulture), Is.EqualTo(value));
    }

    [TestCase(100, "1 2 5 10 20 50 100")]
    [TestCase(1, "1")]
    [TestCase(4999, "1 2 5 10 20 50 100 200 500 1000 2000")]
    public void Buckets_of_tokens_go_1_2_5_up_to_the_longest_request(int most, string bounds) =>
        Assert.That(string.Join(' ', Buckets.Tokens(most)), Is.EqualTo(bounds));

    [Test]
    public void The_longest_request_there_can_be_has_buckets() => Assert.That(Buckets.Tokens(int.MaxValue)[^1], Is.EqualTo(2e9));

    [Test]
    public async Task A_host_answers_with_the_content_type_of_the_format()
    {
        await using var folder = new WatchedModels();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddQuilt(options => options.Model = folder.Folder);
        await using var app = builder.Build();
        app.Services.GetRequiredService<MetricsEndpoint>().Map(app);
        await app.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        using var answer = await client.GetAsync(new Uri("/metrics", UriKind.Relative));
        Assert.That(answer.Content.Headers.GetValues("Content-Type"), Is.EqualTo(new[] { "text/plain; version=0.0.4; charset=utf-8" }));
        Assert.That(new Exposition(await answer.Content.ReadAsStringAsync()).Types, Has.Count.EqualTo(Expected.Length));
        await app.StopAsync();
    }
}
