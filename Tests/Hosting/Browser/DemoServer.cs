using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Quilt.Cli;
using Quilt.Hosting;

namespace Quilt.Tests.Hosting.Browser;

/// <summary>A host with all that Quilt maps, and the demo model in it.</summary>
internal static class DemoServer
{
    /// <summary>Starts one on a free port.</summary>
    /// <param name="key">The key that it asks for; null: none.</param>
    public static async Task<WebApplication> StartAsync(string? key = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddQuilt(options =>
        {
            options.Model = DemoModel.Folder;
            options.ModelNames.Add("demo");
        });
        if (key is not null) builder.Services.Configure<QuiltServerOptions>(server => server.ApiKeys.Add(key));
        var app = builder.Build();
        app.MapQuilt();
        await app.StartAsync();
        return app;
    }
}
