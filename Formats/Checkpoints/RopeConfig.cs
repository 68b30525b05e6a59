namespace Quilt.Formats.Checkpoints;

/// <summary>What a family's files may leave out of their rotary settings, and what is then meant.</summary>
/// <param name="Theta">Base of the frequencies.</param>
/// <param name="Share">Part of a head that is rotated; null: the file must say.</param>
internal sealed record RopeDefaults(double Theta, double? Share = 1)
{
    /// <summary>Whether the family knows scaled rotations; if not, only the type "default" is accepted.</summary>
    public bool MayScale { get; init; } = true;

    /// <summary>What is meant where the file says nothing of scaling.</summary>
    public RopeScaling? Scaling { get; init; }
}

/// <summary>
/// The rotary settings, from the keys of transformers 4 (rope_theta, rotary_dim, rope_scaling) and 5 (rope_parameters) together; where both are given
/// they must agree. For a family that rotates part of a head a missing width is never taken to be the whole: that mistake makes a model babble
/// (docs/checkpoints.md, "RoPE").
/// </summary>
internal sealed record RopeConfig(double Theta, int RotaryDim, RopeScaling? Scaling)
{
    public static RopeConfig Read(ConfigJson json, int headDim, RopeDefaults defaults)
    {
        var inner = json.Object("rope_parameters");
        return new RopeConfig(Agreed(json, inner)
            ?? defaults.Theta, Width(json, inner, headDim, defaults.Share), RopeScalingReader.Read(json, defaults));
    }

    private static double? Agreed(ConfigJson json, ConfigJson? inner)
    {
        var outer = json.Real("rope_theta", 1e-6, 1e18);
        var theta = inner?.Real("rope_theta", 1e-6, 1e18);
        if (outer is { } a && theta is { } b && a != b)
            throw json.Bad("rope_theta", FormattableString.Invariant($"is {a}, but rope_parameters.rope_theta is {b}; expected the same"));
        return theta ?? outer;
    }

    private static int Width(ConfigJson json, ConfigJson? inner, int headDim, double? share)
    {
        var given = new List<(string Key, int Width)>();
        if (json.Whole("rotary_dim", 1, headDim) is { } outer) given.Add(("rotary_dim", (int)outer));
        if (inner?.Whole("rotary_dim", 1, headDim) is { } nested) given.Add(("rope_parameters.rotary_dim", (int)nested));
        if (json.Real("partial_rotary_factor", 0, 1) is { } factor) given.Add(("partial_rotary_factor", Round(headDim, factor)));
        if (inner?.Real("partial_rotary_factor", 0, 1) is { } part) given.Add(("rope_parameters.partial_rotary_factor", Round(headDim, part)));
        if (given.Count == 0 && share is { } usual) given.Add(("head_dim", Round(headDim, usual)));

        if (given.Count == 0) throw json.Bad("rotary_dim", "is missing, and so is partial_rotary_factor; expected one of them");
        foreach (var (key, width) in given)
        {
            if (width != given[0].Width)
                throw json.Bad(given[0].Key, $"means {given[0].Width} rotated values of a head, but {key} means {width}; expected the same");
        }
        var (name, rotary) = given[0];
        if (rotary % 2 != 0 || rotary == 0)
            throw json.Bad(name, $"expected an even number of rotated values from 2 to head_dim ({headDim}), found {rotary}");
        return rotary;
    }

    // Not truncated: 60 / 88 of 88 comes to 59.999… in floating point.
    private static int Round(int headDim, double factor) => (int)Math.Round(headDim * factor);
}
