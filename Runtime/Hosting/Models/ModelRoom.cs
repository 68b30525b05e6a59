using Quilt.Hosting.Http;

namespace Quilt.Hosting.Models;

/// <summary>Divides <see cref="QuiltOptions.ModelMemory"/> among a host's models.</summary>
/// <param name="models">All of them.</param>
/// <param name="options">The host's options.</param>
internal sealed class ModelRoom(IReadOnlyList<ServedModel> models, QuiltOptions options)
{
    private readonly long? budget = options.ModelMemory is { } text ? ByteSize.Parse(text, nameof(QuiltOptions.ModelMemory)) : null;

    /// <summary>
    /// Most bytes of a model's cache; null: the engine decides. Where no size is given, models that fit in memory together share what their weights
    /// leave; of others each takes half of what its own leave.
    /// </summary>
    public long? CacheOf(ServedModel model)
    {
        if (options.EngineOptions.KvMemory is { } given) return given;
        if (budget is not { } bytes) return null;
        var left = bytes - models.Sum(WeightsOf);
        return Math.Max(1, left > 0 ? left / models.Count : (bytes - WeightsOf(model)) / 2);
    }

    /// <summary>Bytes that a model will take, weights and cache; null where nothing is limited.</summary>
    /// <exception cref="NotSupportedException">It is larger than all of the memory.</exception>
    public long? NeededBy(ServedModel model)
    {
        if (budget is not { } bytes) return null;
        var needed = WeightsOf(model) + (CacheOf(model) ?? 0);
        return needed <= bytes ? needed : throw new NotSupportedException(
            $"ModelMemory: expected at least {needed} bytes for the model '{model.Name}', weights and cache, found {bytes}.");
    }

    /// <summary>Which model has to go before another can be loaded; null: none any more.</summary>
    /// <param name="wanted">The one that is to be loaded.</param>
    /// <param name="needed">What it will take.</param>
    /// <exception cref="ApiException">There is no room for it beside those that are in use.</exception>
    public ServedModel? NextToDrop(ServedModel wanted, long needed)
    {
        var others = models.Where(model => model != wanted).ToArray();
        if (needed + others.Sum(Held) <= budget) return null;
        // None is dropped in vain.
        if (needed + others.Where(model => !model.CanBeDropped).Sum(Held) > budget)
            throw ApiException.Unavailable($"There is no memory for the model `{wanted.Name}` while others are in use.", retryAfter: 5);
        return others.Where(model => model.CanBeDropped).MinBy(model => model.LastUsed);
    }

    private static long Held(ServedModel model) => model.Engine?.Memory is { } plan ? plan.Weights + plan.Cache : 0;

    // What is wrong with a folder is found out when it is loaded.
    private static long WeightsOf(ServedModel model) => Directory.Exists(model.Folder)
        ? new DirectoryInfo(model.Folder).EnumerateFiles("*.safetensors").Sum(file => file.Length)
        : 0;
}
