using Quilt.Kernels.Limits;

namespace Quilt.Cli.Bench;

/// <summary>One thing that a device can do at best, and what was found of it so far in this run.</summary>
/// <param name="name">What the output calls it, e.g. <c>read</c>.</param>
/// <param name="unit">Bytes or operations.</param>
/// <param name="meaning">For people, in a few words.</param>
/// <param name="measure">Measures it.</param>
internal sealed class Limit(string name, LimitUnit unit, string meaning, Func<Speed> measure)
{
    private readonly List<Speed> found = [];

    public string Name => name;

    /// <summary>The fastest that was seen, in 10^9 a second; NaN where the device cannot do it.</summary>
    public double Best => found.Count == 0 ? double.NaN : found.Max(speed => speed.Best);

    /// <summary>Measures it once more.</summary>
    public void Measure() => found.Add(measure());

    /// <summary>Leaves out what was found while everything was new.</summary>
    public void Forget() => found.Clear();

    /// <summary>What was found; null if nobody measured it.</summary>
    public LimitFacts? Facts =>
        found.Count == 0 ? null : new(name, unit, meaning, Best, Samples.Median(found.Select(speed => speed.Median)));
}

/// <summary>What a limit is a rate of.</summary>
internal enum LimitUnit
{
    /// <summary>10^9 bytes a second.</summary>
    Gigabytes,

    /// <summary>10^9 operations a second; a multiplication and an addition are two.</summary>
    Operations,
}
