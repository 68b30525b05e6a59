using Quilt.Runtime;

namespace Quilt.Hosting;

/// <summary>Which models a host has, and how they run; checked when the host starts. Every property can be bound from configuration.</summary>
public sealed class QuiltOptions
{
    /// <summary>The checkpoint folder that is loaded when the host starts; null where all of <see cref="Models"/> are loaded on demand.</summary>
    public string? Model { get; set; }

    /// <summary>
    /// Names that <see cref="Model"/> answers to (vLLM's --served-model-name): the first is the one that answers carry. None: the folder's name.
    /// </summary>
    public IList<string> ModelNames { get; } = [];

    /// <summary>Further models by the name that requests ask for them: checkpoint folders, each loaded when it is first asked for.</summary>
    public IDictionary<string, string> Models { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>
    /// Most bytes that models in memory may take together, weights and caches, as <c>40 GiB</c>: models that nobody uses are dropped for one that is
    /// asked for. Null: as much as there is.
    /// </summary>
    public string? ModelMemory { get; set; }

    /// <summary>How long a model of <see cref="Models"/> stays loaded while nobody uses it. Null: until another needs its memory.</summary>
    public TimeSpan? IdleTime { get; set; }

    /// <summary>Where models run; null: as <see cref="Engine"/> says.</summary>
    public string? Device { get; set; }

    /// <summary>Most memory for a model's cached keys and values, as <c>40 GiB</c>; null: as <see cref="Engine"/> says.</summary>
    public string? KvMemory { get; set; }

    /// <summary>Everything else about how models run.</summary>
    public EngineOptions Engine { get; set; } = new();

    /// <summary>Sampling options for requests that say nothing, on top of the checkpoint's (vLLM's --override-generation-config).</summary>
    public SamplingDefaults Sampling { get; set; } = new();

    /// <summary>Whether the checkpoint's generation_config.json counts (vLLM's --generation-config auto or vllm).</summary>
    public bool UseGenerationConfig { get; set; } = true;

    /// <summary>A folder whose generation_config.json counts in the checkpoint's place; null: the checkpoint's own.</summary>
    public string? GenerationConfigFolder { get; set; }

    /// <summary>The engine options with <see cref="Device"/> and <see cref="KvMemory"/> in them.</summary>
    /// <exception cref="ArgumentException">An amount cannot be read.</exception>
    internal EngineOptions EngineOptions => Engine with
    {
        Device = Device ?? Engine.Device,
        KvMemory = KvMemory is null ? Engine.KvMemory : ByteSize.Parse(KvMemory, nameof(KvMemory)),
    };
}
