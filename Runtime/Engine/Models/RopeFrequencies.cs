using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Ops;

namespace Quilt.Runtime.Models;

/// <summary>From the rotary settings of a config to the frequencies of a table (source: modeling_rope_utils of transformers).</summary>
internal static class RopeFrequencies
{
    /// <summary>The table of a config.</summary>
    public static RopeTable Table(RopeConfig rope, int maxPositions) =>
        new(Array.ConvertAll(Of(rope), frequency => (float)frequency), rope.Scaling is RopeScaling.Yarn yarn ? yarn.Magnitude : 1, maxPositions);

    /// <summary>[rotaryDim / 2] radians a position.</summary>
    public static double[] Of(RopeConfig rope)
    {
        var plain = new double[rope.RotaryDim / 2];
        for (var i = 0; i < plain.Length; i++) plain[i] = Math.Pow(rope.Theta, -2.0 * i / rope.RotaryDim);
        return rope.Scaling switch
        {
            null => plain,
            RopeScaling.Llama3 llama => Array.ConvertAll(plain, frequency => Scaled(frequency, llama)),
            RopeScaling.Yarn yarn => Scaled(plain, rope, yarn),
            var scaling => throw new NotSupportedException($"No frequencies for {scaling}."),
        };
    }

    private static double Scaled(double frequency, RopeScaling.Llama3 s)
    {
        var turns = s.Original * frequency / (2 * Math.PI);
        if (turns < s.LowFrequency) return frequency / s.Factor;
        if (turns > s.HighFrequency) return frequency;
        var keep = (turns - s.LowFrequency) / (s.HighFrequency - s.LowFrequency);
        return ((1 - keep) * frequency / s.Factor) + (keep * frequency);
    }

    private static double[] Scaled(double[] plain, RopeConfig rope, RopeScaling.Yarn s)
    {
        var (low, high) = (Index(s.BetaFast), Index(s.BetaSlow));
        if (s.WholeSteps) (low, high) = (Math.Floor(low), Math.Ceiling(high));
        (low, high) = (Math.Max(low, 0), Math.Min(high, rope.RotaryDim - 1));
        if (low == high) high += 0.001;
        var scaled = new double[plain.Length];
        for (var i = 0; i < scaled.Length; i++)
        {
            var ramp = Math.Clamp((i - low) / (high - low), 0, 1);
            scaled[i] = (plain[i] / s.Factor * ramp) + (plain[i] * (1 - ramp));
        }
        return scaled;

        // Where a frequency makes so many turns over the positions of the first training.
        double Index(double turns) => rope.RotaryDim * Math.Log(s.Original / (turns * 2 * Math.PI)) / (2 * Math.Log(rope.Theta));
    }
}
