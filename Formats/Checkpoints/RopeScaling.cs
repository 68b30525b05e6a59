namespace Quilt.Formats.Checkpoints;

/// <summary>
/// How the frequencies of a rotation are changed to reach beyond the length a model was first trained on. A closed hierarchy; no change is null.
/// </summary>
internal abstract record RopeScaling
{
    private RopeScaling()
    {
    }

    /// <summary>Long waves are slowed by a factor, short ones stay, those in between are mixed (Llama 3.1).</summary>
    /// <param name="Factor">What the frequency of a long wave is divided by.</param>
    /// <param name="LowFrequency">Waves longer than Original / LowFrequency are long.</param>
    /// <param name="HighFrequency">Waves shorter than Original / HighFrequency are short.</param>
    /// <param name="Original">Positions of the first training.</param>
    public sealed record Llama3(double Factor, double LowFrequency, double HighFrequency, double Original) : RopeScaling;

    /// <summary>
    /// The first frequencies stay, the last are divided by a factor, a ramp mixes those between (YaRN, arXiv 2309.00071); cos and sin are multiplied
    /// with <paramref name="Magnitude"/>.
    /// </summary>
    /// <param name="Factor">What the last frequencies are divided by.</param>
    /// <param name="BetaFast">The ramp begins at the frequency of this many turns over <paramref name="Original"/> positions.</param>
    /// <param name="BetaSlow">The ramp ends at the frequency of this many turns.</param>
    /// <param name="Original">Positions of the first training.</param>
    /// <param name="WholeSteps">Whether both ends of the ramp are moved out to whole indices.</param>
    /// <param name="Magnitude">What cos and sin are multiplied with.</param>
    public sealed record Yarn(double Factor, double BetaFast, double BetaSlow, double Original, bool WholeSteps, double Magnitude) : RopeScaling
    {
        /// <summary>The magnitude of a file that does not say.</summary>
        public static double UsualMagnitude(double factor, double scale = 1) => factor <= 1 ? 1 : (0.1 * scale * Math.Log(factor)) + 1;
    }
}
