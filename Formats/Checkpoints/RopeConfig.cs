using System.Text.Json;

namespace Quilt.Formats.Checkpoints;

/// <summary>
/// The rotary settings, from the keys of transformers 4 (rope_theta, rotary_dim) and 5 (rope_parameters) together; where both are given they must agree.
/// A missing width is never taken to be the whole head: that mistake makes a model babble (specification: checkpoints.md 2.3).
/// </summary>
internal sealed record RopeConfig(double Theta, int RotaryDim, bool ThetaIsAssumed)
{
    private const double FamilyTheta = 5e6;

    public static RopeConfig Read(ConfigJson json, int headDim)
    {
        var inner = json.Object("rope_parameters");
        foreach (var (key, settings) in new[] { ("rope_parameters", inner), ("rope_scaling", json.Object("rope_scaling")) })
        {
            if (settings is not { } s) continue;
            foreach (var name in (string[])["rope_type", "type"])
            {
                if (s.Text(name) is { } type && type != "default") throw s.Bad(name, $"expected \"default\", the only kind supported, found \"{type}\"");
            }
            if (key == "rope_scaling" && s.Find("rope_type") is null && s.Find("type") is null && s.Element.EnumerateObject().Any())
                throw json.Bad(key, $"expected null or the type \"default\", found {ConfigJson.Short(s.Element)}");
        }
        return new RopeConfig(Agreed(json, inner, out var assumed), Width(json, inner, headDim), assumed);
    }

    private static double Agreed(ConfigJson json, ConfigJson? inner, out bool assumed)
    {
        var outer = json.Real("rope_theta", 1e-6, 1e18);
        var theta = inner?.Real("rope_theta", 1e-6, 1e18);
        if (outer is { } a && theta is { } b && a != b)
            throw json.Bad("rope_theta", FormattableString.Invariant($"is {a}, but rope_parameters.rope_theta is {b}; expected the same"));
        assumed = (theta ?? outer) is null;
        return theta ?? outer ?? FamilyTheta;
    }

    private static int Width(ConfigJson json, ConfigJson? inner, int headDim)
    {
        var given = new List<(string Key, int Width)>();
        if (json.Whole("rotary_dim", 1, headDim) is { } outer) given.Add(("rotary_dim", (int)outer));
        if (inner?.Whole("rotary_dim", 1, headDim) is { } nested) given.Add(("rope_parameters.rotary_dim", (int)nested));
        if (json.Real("partial_rotary_factor", 0, 1) is { } factor) given.Add(("partial_rotary_factor", Round(headDim, factor)));
        if (inner?.Real("partial_rotary_factor", 0, 1) is { } share) given.Add(("rope_parameters.partial_rotary_factor", Round(headDim, share)));

        if (given.Count == 0) throw json.Bad("rotary_dim", "is missing, and so is partial_rotary_factor; expected one of them");
        foreach (var (key, width) in given)
        {
            if (width != given[0].Width) throw json.Bad(given[0].Key, $"means {given[0].Width} rotated values of a head, but {key} means {width}; expected the same");
        }
        var (name, rotary) = given[0];
        if (rotary % 2 != 0 || rotary == 0) throw json.Bad(name, $"expected an even number of rotated values from 2 to head_dim ({headDim}), found {rotary}");
        return rotary;
    }

    // Not truncated: 60 / 88 of 88 comes to 59.999… in floating point.
    private static int Round(int headDim, double factor) => (int)Math.Round(headDim * factor);
}
