using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Quilt.Cli.Serve;
using Quilt.Cluster;
using Quilt.Hosting;
using Quilt.Hosting.Models;

namespace Quilt.Cli.Verbs;

/// <summary><c>serve [MODEL]</c>: OpenAI's API and Anthropic's over HTTP, and a page in the browser, by vLLM's flags.</summary>
internal static class ServeVerb
{
    public static Command Create()
    {
        var check = new Option<bool>("--check") { Description = "Print what would run, and exit." };
        var drain = TypedOption.Real("--drain-seconds", "How long running requests may take to end when the server stops; 30.");
        var logLevel = TypedOption.OneOf<LogLevel>("--log-level", "What is logged; warning.");
        var command = new Command("serve", "Serves models over HTTP: the APIs of OpenAI and Anthropic, and a page in the browser.")
            { check, drain, logLevel };
        var models = new ModelFlags().AddTo(command);
        var server = new ServerFlags().AddTo(command);
        var listening = new Listening().AddTo(command);
        var cluster = new ClusterFlags().AddTo(command);
        var foreign = new ForeignFlags().AddTo(command);

        command.SetAction(async (parsed, cancel) =>
        {
            foreach (var idle in foreign.Read(parsed)) Console.Error.WriteLine($"quilt: {idle}");
            if (models.Idle(parsed) is { } unused) Console.Error.WriteLine($"quilt: {unused}");
            var address = listening.Read(parsed, server.Keys(parsed).Count > 0);
            var settings = new ServeSettings(
                options => models.Read(parsed, server.TemplateOf(parsed), options), options =>
                {
                    server.Read(parsed, options);
                    // Whoever serves everybody serves them by whatever name they know it.
                    if (address.ServesEverybody) options.AllowedHosts.Add("*");
                }, address, parsed.GetValue(logLevel) ?? LogLevel.Warning,
                ModelFlags.Seconds("--drain-seconds", parsed.GetValue(drain) ?? 30)) { Cluster = cluster.Read(parsed) };
            if (!parsed.GetValue(check)) return await RunAsync(settings, cancel);
            await using var app = ServeHost.Build(settings, null);
            ServeCheck.Print(OptionsOf<QuiltOptions>(app.Services), OptionsOf<QuiltServerOptions>(app.Services), settings.Address);
            return 0;
        });
        return command;
    }

    private static async Task<int> RunAsync(ServeSettings settings, CancellationToken cancel)
    {
        var app = await LoadingBar.ShowAsync(async progress =>
        {
            var built = ServeHost.Build(settings, progress);
            try
            {
                OptionsOf<QuiltOptions>(built.Services);
                await Usage.OfAsync(async () =>
                {
                    await built.StartAsync(cancel);
                    return true;
                }, ModelFlags.Names);
                return built;
            }
            catch
            {
                await built.DisposeAsync();
                throw;
            }
        });
        await using (app)
        {
            foreach (var model in app.Services.GetRequiredService<ServedModels>().All)
            {
                foreach (var warning in model.Engine?.Warnings ?? []) Console.Error.WriteLine($"quilt: warning: {warning}");
            }
            if (settings.Address.ServesEverybody)
                Console.Error.WriteLine("quilt: warning: everybody who reaches this address may use it (--insecure)");
            var url = ServeHost.UrlOf(app, settings);
            ServeHost.Tell(app, url);
            if (app.Services.GetService<ClusterOptions>() is { } own)
                Console.Error.WriteLine($"quilt: node {own.NodeName} of cluster {own.Name} at {own.Address}:{own.Port}");
            Console.Error.WriteLine($"quilt: listening on {url}");
            var stopped = new TaskCompletionSource();
            await using (cancel.Register(stopped.SetResult)) await stopped.Task;
            await ServeHost.DrainAsync(app, settings.DrainTime);
            await app.StopAsync(CancellationToken.None);
        }
        return 0;
    }

    // What is wrong with a value shows when it is first read.
    private static T OptionsOf<T>(IServiceProvider services) where T : class
    {
        try
        {
            return services.GetRequiredService<IOptions<T>>().Value;
        }
        catch (OptionsValidationException wrong)
        {
            throw new UsageException(string.Join("; ", wrong.Failures));
        }
    }
}
