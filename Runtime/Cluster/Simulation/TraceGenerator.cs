namespace Quilt.Cluster.Simulation;

/// <summary>Makes traces like what servers see. Sessions come as a Poisson stream; what is in them follows from the seed alone.</summary>
/// <param name="rate">Requests a second, on average, while sessions come.</param>
/// <param name="seed">What all chance follows from.</param>
internal sealed class TraceGenerator(double rate, int seed)
{
    private readonly Random random = new(seed);

    /// <summary>The kinds of traffic there are.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["chat", "agents", "rag", "mix"];

    /// <summary>Makes a trace, ordered so that who follows stands behind whom it follows.</summary>
    /// <param name="kind">One of <see cref="Kinds"/>.</param>
    /// <param name="requests">How many requests.</param>
    /// <exception cref="ArgumentException">A value is out of its range; the message names it.</exception>
    public IEnumerable<TraceRequest> Generate(string kind, int requests)
    {
        if (!Kinds.Contains(kind)) throw new ArgumentException($"Generate: expected one of {string.Join(", ", Kinds)}, found '{kind}'.");
        if (requests < 1) throw new ArgumentException($"Requests: expected at least 1, found {requests}.");
        if (!(rate > 0 && rate <= 1e6)) throw new ArgumentException($"Rate: expected more than 0 and at most 1e6 a second, found {rate}.");
        return Sessions(kind).Take(requests);
    }

    private IEnumerable<TraceRequest> Sessions(string kind)
    {
        var now = 0.0;
        for (var session = 0; ; session++)
        {
            var turns = (kind == "mix" ? random.Next(10) switch { < 5 => "chat", < 8 => "agents", _ => "rag" } : kind) switch
            {
                "chat" => Chat($"chat{session}"),
                "agents" => Agent($"agent{session}"),
                _ => Question($"rag{session}"),
            };
            var count = 0;
            foreach (var turn in turns)
            {
                yield return turn with { At = turn.After is null ? now : 0 };
                count++;
            }
            // A session of many requests is followed by a longer pause, so that the rate is one of requests.
            now += Exponential(count / rate);
        }
    }

    // People: one of some applications' system prompts, a few turns, time to read and think.
    private IEnumerable<TraceRequest> Chat(string name)
    {
        var application = Popular(20);
        var turns = 1;
        while (turns < 20 && random.NextDouble() < 0.8) turns++;
        return Turns(name, $"chat-system{application}", 200 + (70 * application), turns, said: 60, reply: 220, pause: 8);
    }

    // Agents: long prompts with tools that many share, results of tools at machine speed, short replies.
    private IEnumerable<TraceRequest> Agent(string name)
    {
        var kind = Popular(12);
        return Turns(name, $"agent-system{kind}", 3000 + (400 * kind), 4 + random.Next(9), said: 350, reply: 80, pause: 0.5);
    }

    // Documents: one question about some of them, the most asked for first.
    private IEnumerable<TraceRequest> Question(string name)
    {
        var prompt = new List<TracePart> { new("rag-system", 300) };
        for (var i = 0; i < 3; i++)
        {
            var document = Popular(2000);
            prompt.Add(new($"document{document}", 500 + (document * 37 % 700)));
        }
        prompt.Add(new($"{name}-question", Length(40)));
        yield return new TraceRequest(name, prompt, new($"{name}-reply", Length(150)));
    }

    private IEnumerable<TraceRequest> Turns(string name, string system, int systemTokens, int turns, int said, int reply, double pause)
    {
        List<TracePart> prompt = [new(system, systemTokens)];
        for (var turn = 0; turn < turns; turn++)
        {
            prompt.Add(new($"{name}-said{turn}", Length(said)));
            var answer = new TracePart($"{name}-reply{turn}", Length(reply));
            yield return new TraceRequest($"{name}.{turn}", [.. prompt], answer)
            {
                Session = name,
                After = turn == 0 ? null : $"{name}.{turn - 1}",
                Delay = turn == 0 ? 0 : Exponential(pause),
            };
            prompt.Add(answer);
        }
    }

    private double Exponential(double mean) => -Math.Log(1 - random.NextDouble()) * mean;

    // Log-normal about a median, as lengths of texts are.
    private int Length(int median)
    {
        var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return (int)Math.Clamp(median * Math.Exp(0.7 * normal), 4, median * 10);
    }

    // By Zipf's law, nearly: the n-th is asked for about 1/n as often as the first.
    private int Popular(int count) => (int)Math.Pow(count + 1, random.NextDouble()) - 1;
}
