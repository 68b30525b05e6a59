using Quilt.Formats;
using Quilt.Formats.Checkpoints;

namespace Quilt.Runtime.Models;

/// <summary>The architectures that run, by the model_type of config.json. Adding one is a file and a line here.</summary>
internal static class Architectures
{
    private static readonly SortedDictionary<string, Func<ModelConfig, DecoderSpec>> Known = new(StringComparer.Ordinal)
    {
        ["glm4_moe"] = Glm4Moe.Describe,
        ["gpt_oss"] = GptOss.Describe,
        ["llama"] = Llama.Describe,
        ["minimax_m2"] = MiniMaxM2.Describe,
        ["mixtral"] = Mixtral.Describe,
        ["olmoe"] = Olmoe.Describe,
        ["qwen2"] = Qwen2.Describe,
        ["qwen3"] = Qwen3.Describe,
        ["qwen3_moe"] = Qwen3Moe.Describe,
    };

    /// <summary>Names of all architectures that run.</summary>
    public static IEnumerable<string> Names => Known.Keys;

    /// <summary>The facts of a checkpoint's architecture.</summary>
    /// <exception cref="BadInputException">Its model_type is none of <see cref="Names"/>, it asks for what its family does not have, or it is larger
    /// than anything could be.</exception>
    public static DecoderSpec Describe(ModelConfig config)
    {
        if (!Known.TryGetValue(config.ModelType, out var describe))
            throw config.Bad("model_type", $"expected an architecture that runs ({string.Join(", ", Names)}), found '{config.ModelType}'");
        var spec = describe(config);
        DecoderLimits.Check(config, spec);
        return spec;
    }
}
