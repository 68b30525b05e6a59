using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Quilt.Hosting.Telemetry;
using Quilt.Runtime;
using Quilt.Runtime.Sampling;

namespace Quilt.Tests.Hosting.Telemetry;

/// <summary>A request's span, its measurements and its line in the log.</summary>
[NonParallelizable]
public sealed class RequestTraceTests
{
    private static readonly SamplingOptions Sampling =
        new() { Temperature = .7, TopP = .9, TopK = 40, FrequencyPenalty = .5, PresencePenalty = .25, MaxTokens = 3, Seed = 7, IgnoreEos = true };

    [Test]
    public async Task A_span_has_the_names_of_the_conventions()
    {
        await using var watched = new WatchedModels(name: "span-model");
        using var spans = new Spans("span-model");
        var generations = await watched.RunAsync(new GenerationRequest { Tokens = [5, 6], Choices = 2, Sampling = Sampling });
        using (var trace = watched.Tracing.Start(TelemetryNames.Chat, "span-model", Sampling, "chatcmpl-1", choices: 2, stream: true))
        {
            foreach (var generation in generations) trace.End(generation.End!);
        }
        var span = spans.All.Single();
        Assert.That((span.DisplayName, span.Kind, span.Status), Is.EqualTo(("chat span-model", ActivityKind.Internal, ActivityStatusCode.Unset)));
        var first = generations[0].Stats;
        Assert.Multiple(() =>
        {
            Assert.That(span.GetTagItem("gen_ai.operation.name"), Is.EqualTo("chat"));
            Assert.That(span.GetTagItem("gen_ai.provider.name"), Is.EqualTo("quilt"));
            Assert.That(span.GetTagItem("gen_ai.request.model"), Is.EqualTo("span-model"));
            Assert.That(span.GetTagItem("gen_ai.request.temperature"), Is.EqualTo(.7));
            Assert.That(span.GetTagItem("gen_ai.request.top_p"), Is.EqualTo(.9));
            Assert.That(span.GetTagItem("gen_ai.request.top_k"), Is.EqualTo(40));
            Assert.That(span.GetTagItem("gen_ai.request.frequency_penalty"), Is.EqualTo(.5));
            Assert.That(span.GetTagItem("gen_ai.request.presence_penalty"), Is.EqualTo(.25));
            Assert.That(span.GetTagItem("gen_ai.request.max_tokens"), Is.EqualTo(3));
            Assert.That(span.GetTagItem("gen_ai.request.seed"), Is.EqualTo(7));
            Assert.That(span.GetTagItem("gen_ai.request.choice.count"), Is.EqualTo(2));
            Assert.That(span.GetTagItem("gen_ai.request.stream"), Is.EqualTo(true));
            Assert.That(span.GetTagItem("gen_ai.response.id"), Is.EqualTo("chatcmpl-1"));
            Assert.That(span.GetTagItem("gen_ai.response.model"), Is.EqualTo("span-model"));
            Assert.That(span.GetTagItem("gen_ai.response.finish_reasons"), Is.EqualTo(new[] { "length", "length" }));
            Assert.That(span.GetTagItem("gen_ai.usage.input_tokens"), Is.EqualTo(2));
            Assert.That(span.GetTagItem("gen_ai.usage.output_tokens"), Is.EqualTo(6));
            Assert.That(span.GetTagItem("gen_ai.usage.cache_read.input_tokens"), Is.EqualTo(0));
            Assert.That(span.GetTagItem("gen_ai.usage.reasoning.output_tokens"), Is.EqualTo(0));
            Assert.That(span.GetTagItem("gen_ai.latency.time_in_queue"), Is.EqualTo(first.QueueTime.TotalSeconds));
            Assert.That(span.GetTagItem("gen_ai.latency.time_to_first_token"), Is.EqualTo(first.PromptTime.TotalSeconds));
            Assert.That(span.GetTagItem("gen_ai.latency.time_in_model_prefill"), Is.EqualTo((first.PromptTime - first.QueueTime).TotalSeconds));
            Assert.That(span.GetTagItem("gen_ai.latency.time_in_model_decode"), Is.EqualTo(first.GenerationTime.TotalSeconds));
            Assert.That(span.GetTagItem("gen_ai.latency.e2e"), Is.GreaterThan(0.0));
        });
    }

    [Test]
    public async Task What_fails_is_an_error_by_its_kind_and_no_more()
    {
        await using var watched = new WatchedModels(name: "failing");
        using var spans = new Spans("failing");
        using (var trace = watched.Tracing.Start(TelemetryNames.TextCompletion, "failing", Sampling)) trace.Fail("BadRequestError");
        using (watched.Tracing.Start(TelemetryNames.TextCompletion, "failing", Sampling))
        {
            // Given up before anything came of it.
        }
        Assert.That(spans.All.Select(span => (span.DisplayName, span.Status, span.StatusDescription, span.GetTagItem("error.type"))), Is.EqualTo(new[]
        {
            ("text_completion failing", ActivityStatusCode.Error, (string?)null, (object?)"BadRequestError"),
            ("text_completion failing", ActivityStatusCode.Unset, null, null),
        }));
    }

    [Test]
    public async Task Measurements_are_made_once_for_a_request_with_the_conventions_tags()
    {
        await using var watched = new WatchedModels();
        var seen = new List<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Scope == watched.Meters && instrument.Name.StartsWith("gen_ai", StringComparison.Ordinal))
                    self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => seen.Add(Told(instrument, value > 0 ? 1 : 0, tags)));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => seen.Add(Told(instrument, value, tags)));
        listener.Start();
        var generations = await watched.RunAsync(new GenerationRequest { Tokens = [5, 6], Sampling = Sampling });
        using (var trace = watched.Tracing.Start(TelemetryNames.Chat, "tiny", Sampling)) trace.End(generations[0].End!);
        const string Tags = "gen_ai.operation.name=chat gen_ai.provider.name=quilt gen_ai.request.model=tiny gen_ai.response.model=tiny";
        Assert.That(seen, Is.EquivalentTo(new[]
        {
            $"gen_ai.server.request.duration s 1 {Tags}", $"gen_ai.server.time_to_first_token s 1 {Tags}",
            $"gen_ai.server.time_per_output_token s 1 {Tags}", $"gen_ai.client.token.usage {{token}} 2 {Tags} gen_ai.token.type=input",
            $"gen_ai.client.token.usage {{token}} 3 {Tags} gen_ai.token.type=output",
        }));
        seen.Clear();
        using (var trace = watched.Tracing.Start(TelemetryNames.Chat, "tiny", Sampling)) trace.Fail("429");
        Assert.That(seen, Is.EqualTo(new[] { $"gen_ai.server.request.duration s 1 {Tags} error.type=429" }));

        static string Told(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
            $"{instrument.Name} {instrument.Unit} {value} {string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))}";
    }

    [Test]
    public async Task Nobody_who_listens_makes_a_request_cost_nothing()
    {
        await using var watched = new WatchedModels(log: new MemoryLog { Least = LogLevel.Information });
        Once();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) Once();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(watched.Tracing.Start(TelemetryNames.Chat, "tiny", Sampling), Is.SameAs(RequestTrace.None));

        void Once()
        {
            using var trace = watched.Tracing.Start(TelemetryNames.Chat, "tiny", Sampling, "chatcmpl-1");
            trace.Fail("500");
        }
    }

    [Test]
    public async Task The_log_has_a_line_a_request_without_what_a_client_could_put_there()
    {
        await using var watched = new WatchedModels();
        var generations = await watched.RunAsync(new GenerationRequest { Tokens = [5, 6], Sampling = Sampling });
        foreach (var id in new[] { "cmpl-17", "forged\n2026-11-27 info: all is well", new string('x', 1000) })
        {
            using var trace = watched.Tracing.Start(TelemetryNames.TextCompletion, "tiny", Sampling, id);
            trace.End(generations[0].End!);
        }
        var lines = watched.Log.Lines.Where(line => line.Id == 7).ToArray();
        Assert.That(lines.Select(line => line.Level), Is.All.EqualTo(LogLevel.Debug).And.Exactly(3).Items);
        Assert.That(lines[0].Text,
            Does.StartWith("Request cmpl-17 (text_completion tiny) ended: length; 2 prompt tokens, 0 of them cached, 3 generated"));
        Assert.That(lines[1..].Select(line => line.Text), Is.All.StartsWith("Request - ("));
    }

    [Test]
    public async Task A_span_continues_the_callers_trace()
    {
        await using var watched = new WatchedModels(name: "remote");
        using var spans = new Spans("remote", "Microsoft.AspNetCore");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        app.MapGet("/", async (HttpContext http) =>
        {
            using var trace = watched.Tracing.Start(TelemetryNames.Chat, "remote", Sampling);
            await Task.Yield();
            await http.Response.WriteAsync("done");
        });
        await app.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        using (await client.SendAsync(request)) await app.StopAsync();
        var own = spans.All.Single(span => span.Source.Name == "Quilt.Runtime");
        var http = spans.All.Single(span => span.SpanId == own.ParentSpanId);
        Assert.That(http.Source.Name, Is.EqualTo("Microsoft.AspNetCore"));
        Assert.That(own.TraceId.ToHexString(), Is.EqualTo("0af7651916cd43dd8448eb211c80319c"));
        Assert.That(http.ParentSpanId.ToHexString(), Is.EqualTo("b7ad6b7169203331"));
    }

    /// <summary>Spans of a model as they end, and those of other sources.</summary>
    private sealed class Spans : IDisposable
    {
        private readonly ConcurrentQueue<Activity> spans = new();
        private readonly ActivityListener listener;

        public Spans(string model, string? other = null)
        {
            listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name == "Quilt.Runtime" || source.Name == other,
                Sample = static (ref _) => ActivitySamplingResult.AllDataAndRecorded,
                ActivityStopped = span =>
                {
                    if (span.Source.Name == other || span.DisplayName.EndsWith(model, StringComparison.Ordinal)) spans.Enqueue(span);
                },
            };
            ActivitySource.AddActivityListener(listener);
        }

        public IEnumerable<Activity> All => spans;

        public void Dispose() => listener.Dispose();
    }
}
