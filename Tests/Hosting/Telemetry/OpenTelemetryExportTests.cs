using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Quilt.Cli.Serve;
using Quilt.Hosting;
using Quilt.Hosting.Models;
using Quilt.Hosting.Telemetry;
using Quilt.Runtime;

namespace Quilt.Tests.Hosting.Telemetry;

/// <summary>Meters and traces reach a collector that the environment names, and there is nothing of it where it names none.</summary>
[NonParallelizable]
public sealed class OpenTelemetryExportTests
{
    [Test]
    public async Task A_collector_hears_of_requests()
    {
        var heard = new ConcurrentDictionary<string, string>();
        await using var collector = Listening();
        collector.Map("/{**path}", async (HttpContext http) =>
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            var text = Encoding.Latin1.GetString(body.ToArray());
            heard.AddOrUpdate(http.Request.Path, text, (_, before) => before + text);
            http.Response.ContentType = "application/x-protobuf";
        });
        await collector.StartAsync();
        await using (var folder = new WatchedModels())
        {
            await using var app = Listening(services => services.AddQuilt(options =>
            {
                options.Model = folder.Folder;
                options.ModelNames.Add("exported");
            }), ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Urls.First()), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"));
            app.MapPost("/v1/completions", async (ServedModels models, RequestTracing tracing) =>
            {
                using var lease = await models.UseAsync(null, default);
                using var trace = tracing.Start(TelemetryNames.TextCompletion, lease.Model.Name, WatchedModels.Greedy(3));
                var generation = lease.Submit(new GenerationRequest { Tokens = [5], Sampling = WatchedModels.Greedy(3) }, default)[0];
                await generation.ReadToEndAsync();
                trace.End(generation.End!);
            });
            await app.StartAsync();
            using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
            using (await client.PostAsync(new Uri("/v1/completions", UriKind.Relative), null)) await app.StopAsync();
        }
        Assert.That(heard.Keys, Is.EquivalentTo(new[] { "/v1/metrics", "/v1/traces" }));
        Assert.That(heard["/v1/traces"], Does.Contain("text_completion exported").And.Contain("POST /v1/completions").And.Contain("service.name"));
        foreach (var name in (string[])["gen_ai.server.request.duration", "gen_ai.server.time_to_first_token", "gen_ai.server.time_per_output_token",
            "gen_ai.client.token.usage", "quilt.step.duration", "quilt.step.tokens", "quilt.kv.blocks", "quilt.queue.length"])
        {
            Assert.That(heard["/v1/metrics"], Does.Contain(name));
        }
    }

    [TestCase(false)]
    [TestCase(false, "OTEL_EXPORTER_OTLP_ENDPOINT", " ")]
    [TestCase(false, "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318", "OTEL_SDK_DISABLED", "true")]
    [TestCase(true, "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")]
    [TestCase(true, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4318/v1/traces")]
    [TestCase(true, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://127.0.0.1:4318/v1/metrics")]
    public void Nothing_is_added_unless_the_environment_names_a_collector(bool expected, params string[] variables)
    {
        var services = new ServiceCollection();
        var environment = new ConfigurationBuilder()
            .AddInMemoryCollection(variables.Chunk(2).Select(pair => KeyValuePair.Create(pair[0], (string?)pair[1]))).Build();
        Assert.That(OpenTelemetryExport.Add(services, environment, "0.1.0"), Is.EqualTo(expected));
        Assert.That(services, expected ? Is.Not.Empty : Is.Empty);
    }

    private static WebApplication Listening(Action<IServiceCollection>? add = null, params (string Name, string Value)[] environment)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(environment.Select(one => KeyValuePair.Create(one.Name, (string?)one.Value)));
        add?.Invoke(builder.Services);
        if (environment.Length > 0) OpenTelemetryExport.Add(builder.Services, builder.Configuration, "0.1.0");
        return builder.Build();
    }
}
