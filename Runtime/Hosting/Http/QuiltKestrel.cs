using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Quilt.Hosting.Http;

/// <summary>The limits of connections: what a client may send, how slowly, and how slowly it may read. All in one place.</summary>
internal static class QuiltKestrel
{
    private const int HeaderBytes = 32 << 10;
    private const int HeaderCount = 100;
    private const int LineBytes = 8 << 10;
    private const int Connections = 10_000;
    private const int SlowestBytes = 240;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>Sets them; before any address is listened on.</summary>
    /// <param name="kestrel">Kestrel's options.</param>
    /// <param name="server">The server's own.</param>
    public static void Configure(KestrelServerOptions kestrel, QuiltServerOptions server)
    {
        kestrel.AddServerHeader = false;
        var limits = kestrel.Limits;
        limits.MaxRequestLineSize = LineBytes;
        limits.MaxRequestHeadersTotalSize = HeaderBytes;
        limits.MaxRequestHeaderCount = HeaderCount;
        limits.MaxRequestBodySize = server.MaxBodyBytes;
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(75);
        // Counted only while something is waited for: a stream whose model thinks is not slow, a client that does not take what is there is.
        limits.MinRequestBodyDataRate = new MinDataRate(SlowestBytes, Grace);
        limits.MinResponseDataRate = new MinDataRate(SlowestBytes, Grace);
        limits.MaxConcurrentConnections = Connections;
        limits.MaxConcurrentUpgradedConnections = 0;
        limits.Http2.MaxStreamsPerConnection = 100;
        limits.Http2.MaxRequestHeaderFieldSize = 16 << 10;
        limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
        limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
        kestrel.ConfigureEndpointDefaults(listen => listen.Use(next => connection =>
        {
            KeepAlive(connection);
            return next(connection);
        }));
    }

    // A client whose machine or network went away says nothing any more, and nothing would be noticed while nothing is sent to it.
    private static void KeepAlive(ConnectionContext connection)
    {
        if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is not { ProtocolType: ProtocolType.Tcp } socket) return;
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 30);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 10);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is gone already, or the system has no such thing.
        }
    }
}
