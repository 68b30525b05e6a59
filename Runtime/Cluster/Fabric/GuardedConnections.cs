using Microsoft.AspNetCore.Connections;
using Orleans.Configuration;

namespace Quilt.Cluster.Fabric;

/// <summary>Puts the handshake of the cluster's key in front of every connection between silos.</summary>
internal static class GuardedConnections
{
    /// <summary>Adds it.</summary>
    public static void Add(ISiloBuilder silo, string key)
    {
        var handshake = new PeerHandshake(key);
        silo.Configure<SiloConnectionOptions>(connections =>
        {
            connections.ConfigureSiloOutboundConnection(connection => connection.Use(next => Guard(next, handshake.CallAsync)));
            connections.ConfigureSiloInboundConnection(connection => connection.Use(next => Guard(next, handshake.AnswerAsync)));
            connections.ConfigureGatewayInboundConnection(connection => connection.Use(next => Guard(next, handshake.AnswerAsync)));
        });
    }

    private static ConnectionDelegate Guard(ConnectionDelegate next, Func<System.IO.Pipelines.IDuplexPipe, CancellationToken, Task<bool>> shake) =>
        async connection =>
        {
            if (!await shake(connection.Transport, connection.ConnectionClosed))
            {
                connection.Abort(new ConnectionAbortedException("The other side does not know the cluster's key."));
                return;
            }
            await next(connection);
        };
}
