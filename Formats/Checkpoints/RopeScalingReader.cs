namespace Quilt.Formats.Checkpoints;

/// <summary>
/// Reads the scaling of a rotation from rope_scaling (transformers 4) or rope_parameters (5). Kinds and keys that are not known are refused: each
/// would change every number.
/// </summary>
internal static class RopeScalingReader
{
    private const double MostPositions = 1 << 28;
    private static readonly string[] Common = ["rope_type", "type", "rope_theta", "partial_rotary_factor", "rotary_dim", "factor",
        "original_max_position_embeddings"];

    public static RopeScaling? Read(ConfigJson json, RopeDefaults defaults)
    {
        RopeScaling? found = null;
        string? named = null;
        foreach (var key in (string[])["rope_scaling", "rope_parameters"])
        {
            if (json.Object(key) is not { } settings) continue;
            var type = Type(settings);
            if (type is null)
            {
                if (key == "rope_scaling" && settings.Element.EnumerateObject().Any())
                    throw json.Bad(key, $"expected null or an object with a rope_type, found {ConfigJson.Short(settings.Element)}");
                continue;
            }
            var scaling = Read(settings, json, type, defaults.MayScale);
            if (named is not null && scaling != found) throw json.Bad(key, $"asks for another rotation than {named}; expected the same");
            (found, named) = (scaling, key);
        }
        return named is null ? defaults.Scaling : found;
    }

    private static string? Type(ConfigJson settings)
    {
        var (newer, older) = (settings.Text("rope_type"), settings.Text("type"));
        if (newer is not null && older is not null && newer != older)
            throw settings.Bad("rope_type", $"is \"{newer}\", but type is \"{older}\"; expected the same");
        return newer ?? older;
    }

    private static RopeScaling? Read(ConfigJson settings, ConfigJson json, string type, bool mayScale) => type switch
    {
        "default" => null,
        "llama3" when mayScale => Llama3(settings),
        "yarn" when mayScale => Yarn(settings, json),
        _ => throw settings.Bad(settings.Find("rope_type") is null ? "type" : "rope_type",
            mayScale
                ? $"expected \"default\", \"llama3\" or \"yarn\", the kinds supported, found \"{type}\""
                : $"expected \"default\", the only kind supported, found \"{type}\""),
    };

    private static RopeScaling.Llama3 Llama3(ConfigJson settings)
    {
        Known(settings, "low_freq_factor", "high_freq_factor");
        var (low, high) = (Need(settings, "low_freq_factor", 1e-3, 1e6), Need(settings, "high_freq_factor", 1e-3, 1e6));
        if (low >= high)
            throw settings.Bad("high_freq_factor", FormattableString.Invariant($"expected more than low_freq_factor ({low}), found {high}"));
        return new(Need(settings, "factor", 1, 1e6), low, high, Need(settings, "original_max_position_embeddings", 1, MostPositions));
    }

    private static RopeScaling.Yarn Yarn(ConfigJson settings, ConfigJson json)
    {
        Known(settings, "beta_fast", "beta_slow", "truncate", "attention_factor", "mscale", "mscale_all_dim");
        var factor = Need(settings, "factor", 1, 1e6);
        var original = settings.Real("original_max_position_embeddings", 1, MostPositions)
            ?? json.Real("original_max_position_embeddings", 1, MostPositions) ?? Need(json, "max_position_embeddings", 1, MostPositions);
        var (scale, all) = (settings.Real("mscale", 0, 1e3) ?? 0, settings.Real("mscale_all_dim", 0, 1e3) ?? 0);
        var magnitude = settings.Real("attention_factor", 0, 1e3) ?? (scale > 0 && all > 0
            ? RopeScaling.Yarn.UsualMagnitude(factor, scale) / RopeScaling.Yarn.UsualMagnitude(factor, all)
            : RopeScaling.Yarn.UsualMagnitude(factor));
        return new(factor, settings.Real("beta_fast", 1e-3, 1e6) ?? 32, settings.Real("beta_slow", 1e-3, 1e6)
            ?? 1, original, settings.Flag("truncate") ?? true, magnitude);
    }

    private static double Need(ConfigJson json, string key, double min, double max) => json.Real(key, min, max) ?? throw json.Bad(key, "is missing");

    private static void Known(ConfigJson settings, params string[] keys)
    {
        foreach (var property in settings.Element.EnumerateObject())
        {
            if (settings.Find(property.Name) is not null && !Common.Contains(property.Name) && !keys.Contains(property.Name))
                throw settings.Bad(property.Name,
                    $"expected none but {string.Join(", ", Common.Concat(keys))}, found {ConfigJson.Short(property.Value)}");
        }
    }
}
