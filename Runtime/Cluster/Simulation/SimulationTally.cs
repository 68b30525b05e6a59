namespace Quilt.Cluster.Simulation;

/// <summary>Gathers the figures of a simulation.</summary>
internal sealed class SimulationTally
{
    private readonly List<double> firsts = [];
    private readonly Histogram gaps = new();
    private long prompts, cached, computed, replies;
    private double busy, begin = double.PositiveInfinity, end;
    private int ended, refused;

    /// <summary>Requests that are over, answered or refused.</summary>
    public int Over => ended + refused;

    /// <summary>A request is first part of a step.</summary>
    public void Start(SimulatedRequest request)
    {
        request.HasStarted = true;
        prompts += request.Sequence.PromptLength;
        cached += request.Sequence.Cached;
    }

    /// <summary>A request got a token.</summary>
    public void Token(SimulatedRequest request, double now)
    {
        if (double.IsNaN(request.LastToken)) firsts.Add(now - request.Arrival);
        else gaps.Add(now - request.LastToken);
        request.LastToken = now;
        replies++;
    }

    /// <summary>A step ended.</summary>
    public void Step(int promptTokens, double seconds)
    {
        computed += promptTokens;
        busy += seconds;
    }

    /// <summary>A request came.</summary>
    public void Arrived(double now) => begin = Math.Min(begin, now);

    /// <summary>A request is answered.</summary>
    public void Ended(double now) => (ended, end) = (ended + 1, Math.Max(end, now));

    /// <summary>A request is refused.</summary>
    public void Refused() => refused++;

    /// <summary>All of it.</summary>
    public SimulationResult Result(string policy, ClusterSpec spec, long preemptions)
    {
        firsts.Sort();
        var seconds = Math.Max(0, end - begin);
        return new()
        {
            Policy = policy,
            Ended = ended,
            Refused = refused,
            PromptTokens = prompts,
            CachedTokens = cached,
            ComputedTokens = computed,
            ReplyTokens = replies,
            Preemptions = preemptions,
            FirstToken = (Share(0.5), Share(0.99)),
            BetweenTokens = (gaps.At(0.5), gaps.At(0.99)),
            Seconds = seconds,
            Utilisation = busy / (seconds * spec.Replicas),
            CostPerMillion = spec.PricePerHour * spec.Replicas * seconds / 3600 / (replies / 1e6),
        };

        double Share(double share) => firsts.Count == 0 ? double.NaN : firsts[(int)Math.Ceiling(share * firsts.Count) - 1];
    }
}
