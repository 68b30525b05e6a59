using Quilt.Runtime.Scheduling;

namespace Quilt.Cluster.Simulation;

/// <summary>A request of a trace on its way.</summary>
/// <param name="trace">What is asked.</param>
/// <param name="number">Its place in the trace.</param>
/// <param name="arrival">When it came.</param>
/// <param name="sequence">Its tokens.</param>
internal sealed class SimulatedRequest(TraceRequest trace, int number, double arrival, Sequence sequence)
{
    /// <summary>The one model there is.</summary>
    public const string Model = "model";

    private readonly ulong reply = TraceContent.Seed(trace.Reply.Content);
    private int said;

    /// <summary>Its place in the trace.</summary>
    public int Number => number;

    /// <summary>When it came.</summary>
    public double Arrival => arrival;

    /// <summary>Its tokens.</summary>
    public Sequence Sequence => sequence;

    /// <summary>When its last token came; not a number before the first.</summary>
    public double LastToken { get; set; } = double.NaN;

    /// <summary>Whether it was part of a step.</summary>
    public bool HasStarted { get; set; }

    /// <summary>Tokens of its prompt that are thought to be computed still.</summary>
    public int Expected { get; set; }

    /// <summary>Whether it has all its tokens.</summary>
    public bool IsOver => said == trace.Reply.Tokens;

    /// <summary>The reply's next token.</summary>
    public int NextToken() => TraceContent.Token(reply, said++);
}
