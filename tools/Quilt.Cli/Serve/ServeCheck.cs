using Quilt.Hosting;
using Quilt.Runtime;
using Spectre.Console;

namespace Quilt.Cli.Serve;

/// <summary>What would run, for <c>serve --check</c>: options that are good and folders that are there, nothing loaded.</summary>
internal static class ServeCheck
{
    /// <summary>Prints it.</summary>
    public static void Print(QuiltOptions models, QuiltServerOptions server, ServeAddress address)
    {
        var table = new Table().Border(TableBorder.None).HideHeaders().AddColumn("").AddColumn("");
        if (models.Model is { } folder) Row("model", $"{string.Join(", ", QuiltOptionsChecks.NamesOf(models))}: {folder}");
        foreach (var (name, other) in models.Models) Row("on demand", $"{name}: {other}");
        var engine = models.EngineOptions;
        Row("device", $"{engine.Device}, activations {engine.Activations}");
        Row("context", engine.MaxModelTokens is { } most ? $"at most {most} tokens" : "as long as the model was made for");
        Row("batch", $"{engine.MaxSequences} at once, {engine.MaxWaiting} may wait");
        Row("cache", $"{engine.KvType?.ToString() ?? "chosen by memory"}, prefixes {(engine.PrefixCaching ? "kept" : "not kept")}");
        if (engine.HasTiers)
        {
            Row("behind it", string.Join(", ", (string[])[
                .. engine.KvHostMemory > 0 ? [$"{MemoryPlan.Gib(engine.KvHostMemory):0.00} GiB of memory"] : Array.Empty<string>(),
                .. engine.KvDisk is { } path ? [$"{MemoryPlan.Gib(engine.KvDiskSize):0.00} GiB in {path}"] : Array.Empty<string>(),
                .. engine.KvRemote is not null ? ["a remote server"] : Array.Empty<string>()]));
        }
        Row("replies", engine.ReplyDialect ?? "as the chat template tells");
        var sampling = models.Sampling.ToString().Replace(nameof(SamplingDefaults), "", StringComparison.Ordinal).Trim(' ', '{', '}');
        var below = models.GenerationConfigFolder ?? (models.UseGenerationConfig ? "the model's generation_config.json" : "neutral");
        Row("sampling", $"{below}; over it: {sampling}");
        Row("listens on", address.Socket
            ?? $"{(address.Certificate is null ? "http" : "https")}://{address.Address}:{address.Port}{address.RootPath}");
        Row("keys", server.ApiKeys.Count == 0 ? "none are asked for" : $"{server.ApiKeys.Count}, each with a cache of its own");
        AnsiConsole.Write(table);

        void Row(string name, string value) => table.AddRow(new Text(name), new Text(value));
    }
}
