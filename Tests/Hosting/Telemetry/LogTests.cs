using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Quilt.Formats.Chat;
using Quilt.Hosting;
using Quilt.Hosting.Models;
using Quilt.Hosting.Telemetry;
using Quilt.Runtime;

namespace Quilt.Tests.Hosting.Telemetry;

/// <summary>What a host writes down of itself, and what it never does.</summary>
public sealed class LogTests
{
    private const string Secret = "the-launch-code-is-4711";
    private const string Key = "sk-quilt-do-not-write-me-down";

    [Test]
    public async Task Prompts_replies_and_keys_are_in_no_log_and_in_no_label()
    {
        await using var folder = new WatchedModels(tokenizer: true);
        var log = new MemoryLog();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Trace).AddProvider(log);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddQuilt(options =>
        {
            options.Model = folder.Folder;
            options.ModelNames.Add("tiny");
            // A folder without a model in it: what is wrong shows when it is asked for.
            options.Models["absent"] = Directory.CreateDirectory(Path.Combine(folder.Folder, "absent")).FullName;
            File.WriteAllText(Path.Combine(options.Models["absent"], "config.json"), "{}");
        });
        builder.Services.Configure<QuiltServerOptions>(options => options.ApiKeys.Add(Key));
        await using var app = builder.Build();
        app.Services.GetRequiredService<MetricsEndpoint>().Map(app);
        await app.StartAsync();
        var models = app.Services.GetRequiredService<ServedModels>();
        var tracing = app.Services.GetRequiredService<RequestTracing>();

        var sampling = WatchedModels.Greedy(3) with { Stop = [Secret] };
        string reply;
        using (var lease = await models.UseAsync(null, default))
        using (var trace = tracing.Start(TelemetryNames.Chat, lease.Model.Name, sampling, $"{Secret} {Key}"))
        {
            var request = new GenerationRequest { Conversation = new Conversation().Add("user", Secret), Sampling = sampling, Tenant = Key };
            var generation = lease.Submit(request, default)[0];
            reply = await generation.ReadToEndAsync();
            trace.End(generation.End!);
        }
        Assert.That(async () => await models.UseAsync("absent", default), Throws.Exception);
        Assert.That(async () => await models.UseAsync(Secret, default), Throws.Exception);
        app.Services.GetRequiredService<RefusalLog>().Add(401);
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        client.DefaultRequestHeaders.Authorization = new("Bearer", Key);
        var page = await client.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        await app.StopAsync();

        Assert.That(page, Does.Contain("model_name=\"tiny\"").And.Not.Contain(Secret).And.Not.Contain(Key));
        Assert.That(log.Lines.Select(line => line.Id), Is.SupersetOf(new[] { 1, 2, 3, 4, 6, 7 }), "it does say something");
        Assert.That(log.Text, Does.Not.Contain(Secret).And.Not.Contain(Key));
        if (reply.Length > 8) Assert.That(log.Text, Does.Not.Contain(reply));
    }

    [Test]
    public async Task A_model_that_cannot_be_loaded_is_told_with_its_reason()
    {
        await using var watched = new WatchedModels(options => options.Models["absent"] = "/nowhere/at/all");
        Assert.That(async () => await watched.Models.UseAsync("absent", default), Throws.Exception);
        Assert.That(watched.Log.Lines.Select(line => (line.Level, line.Id)), Is.EqualTo(new[] { (LogLevel.Information, 3), (LogLevel.Error, 6) }));
        Assert.That(watched.Log.Lines[1].Text, Does.StartWith("Model absent: cannot be loaded.").And.Contain("/nowhere/at/all"));
    }

    [Test]
    public void Refusals_are_counted_and_told_once_a_second_and_at_the_end()
    {
        var (time, log) = (new ManualTime(), new MemoryLog());
        using (var refusals = new RefusalLog(time, log))
        {
            for (var i = 0; i < 1000; i++) refusals.Add(i % 10 == 0 ? 429 : 401);
            Assert.That(log.Lines, Is.Empty);
            time.Advance(TimeSpan.FromSeconds(1));
            time.Advance(TimeSpan.FromHours(1));
            refusals.Add(400);
            time.Advance(TimeSpan.FromSeconds(.5));
            refusals.Add(400);
        }
        Assert.That(log.Lines, Is.EqualTo(new[]
        {
            (LogLevel.Information, 10, "Requests refused within 1.0 s: 900 × 401, 100 × 429. "),
            (LogLevel.Information, 10, "Requests refused within 0.5 s: 2 × 400. "),
        }));
    }
}
