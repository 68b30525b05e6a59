namespace Quilt.Cluster.Simulation;

/// <summary>A measured speed: so many tokens of a prompt, or so many sequences, at so many tokens a second.</summary>
/// <param name="Size">Tokens of the prompt, or sequences.</param>
/// <param name="TokensPerSecond">Tokens a second, of all sequences together.</param>
internal readonly record struct MeasuredSpeed(int Size, double TokensPerSecond)
{
    /// <summary>Seconds of the whole.</summary>
    public double Seconds => Size / TokensPerSecond;
}

/// <summary>What a step takes, from what <c>quilt bench --json</c> measured; between measured sizes times lie on straight lines.</summary>
/// <remarks>A step with prompts and replies takes the sum of both, which is more than a device takes that reads its weights once for both.</remarks>
internal sealed class CostModel
{
    private readonly MeasuredSpeed[] prefill;
    private readonly MeasuredSpeed[] decode;
    private readonly double found;

    /// <summary>A cost model.</summary>
    /// <param name="prefill">Speeds of reading prompts, by their tokens.</param>
    /// <param name="decode">Speeds of writing replies, by sequences.</param>
    /// <param name="foundPerSecond">Tokens a second that are hashed and found in the cache.</param>
    /// <exception cref="ArgumentException">Nothing is given, a speed is not above zero, or a size stands twice.</exception>
    public CostModel(IEnumerable<MeasuredSpeed> prefill, IEnumerable<MeasuredSpeed> decode, double foundPerSecond = double.PositiveInfinity)
    {
        this.prefill = Sorted(nameof(prefill), prefill);
        this.decode = Sorted(nameof(decode), decode);
        if (!(foundPerSecond > 0)) throw new ArgumentException($"found: expected more than 0 tokens a second, found {foundPerSecond}.");
        found = foundPerSecond;
    }

    /// <summary>Seconds of a step.</summary>
    /// <param name="promptTokens">Tokens of prompts that are computed.</param>
    /// <param name="replies">Sequences that get their next token.</param>
    /// <param name="cached">Tokens that newcomers found in the cache.</param>
    public double Step(int promptTokens, int replies, int cached)
    {
        var seconds = cached / found;
        // A small part of a prompt still reads all weights once.
        if (promptTokens > 0) seconds += Math.Max(Line(prefill, promptTokens), decode[0].Seconds);
        if (replies > 0) seconds += Math.Max(Line(decode, replies), decode[0].Seconds);
        return seconds;
    }

    private static double Line(MeasuredSpeed[] points, int size)
    {
        var at = Array.FindIndex(points, point => point.Size >= size);
        if (at == 0) return size / points[0].TokensPerSecond;
        // Behind the last point the last line goes on.
        if (at < 0) at = points.Length - 1;
        if (at == 0) return size / points[0].TokensPerSecond;
        var (from, to) = (points[at - 1], points[at]);
        var slope = (to.Seconds - from.Seconds) / (to.Size - from.Size);
        return Math.Max(from.Seconds + (slope * (size - from.Size)), 0);
    }

    private static MeasuredSpeed[] Sorted(string name, IEnumerable<MeasuredSpeed> speeds)
    {
        MeasuredSpeed[] sorted = [.. speeds.OrderBy(speed => speed.Size)];
        if (sorted.Length == 0) throw new ArgumentException($"{name}: expected at least one speed, found none.");
        for (var i = 0; i < sorted.Length; i++)
        {
            var (size, rate) = (sorted[i].Size, sorted[i].TokensPerSecond);
            if (size < 1 || !(rate > 0) || !double.IsFinite(rate))
                throw new ArgumentException($"{name}: expected a size of at least 1 and a speed above 0, found {size} and {rate}.");
            if (i > 0 && sorted[i - 1].Size == size) throw new ArgumentException($"{name}: expected each size once, found {size} twice.");
        }
        return sorted;
    }
}
