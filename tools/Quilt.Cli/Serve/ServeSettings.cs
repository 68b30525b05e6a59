using Microsoft.Extensions.Logging;
using Quilt.Cluster;
using Quilt.Hosting;

namespace Quilt.Cli.Serve;

/// <summary>What a command line asks of the server.</summary>
/// <param name="Models">Lays down the models.</param>
/// <param name="Server">Lays down how it answers.</param>
/// <param name="Address">Where it listens.</param>
/// <param name="LogLevel">What it logs.</param>
/// <param name="DrainTime">How long it waits for running requests when it stops.</param>
internal sealed record ServeSettings(
    Action<QuiltOptions> Models, Action<QuiltServerOptions> Server, ServeAddress Address, LogLevel LogLevel, TimeSpan DrainTime)
{
    /// <summary>Lays down how it takes part in a cluster; null: it does not.</summary>
    public Action<ClusterOptions>? Cluster { get; init; }
}
