namespace Quilt.Cluster.Simulation;

/// <summary>The clock of a simulation.</summary>
internal sealed class VirtualTime : TimeProvider
{
    /// <summary>Seconds since the trace's start.</summary>
    public double Now { get; set; }

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override long GetTimestamp() => (long)(Now * TimeSpan.TicksPerSecond);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(GetTimestamp());
}
