using Quilt.Runtime;
using Quilt.Runtime.Models;

namespace Quilt.Perf.Runtime;

/// <summary>The model that whole steps are measured on: the folder that QUILT_BENCH_MODEL names, else the demo model of the repository.</summary>
internal static class BenchModel
{
    /// <summary>Its checkpoint folder.</summary>
    public static string Folder { get; } = Environment.GetEnvironmentVariable("QUILT_BENCH_MODEL") ?? FindDemo();

    /// <summary>The model on all threads.</summary>
    public static LoadedModel Open(EngineOptions options) => LoadedModel.Open(Folder, options, null, default);

    // BenchmarkDotNet runs a bench from a folder below its own output.
    private static string FindDemo()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var demo = Path.Combine(folder.FullName, "tools", "Quilt.Cli", "Demo");
            if (Directory.Exists(demo)) return demo;
        }
        throw new DirectoryNotFoundException("The demo model is not above this program; name a checkpoint folder in QUILT_BENCH_MODEL.");
    }
}
