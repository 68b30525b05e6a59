using System.Net;
using System.Net.Sockets;

namespace Quilt.Cluster.Fabric;

/// <summary>Finds a port, since the silo's address is its name and has to be known before it listens.</summary>
internal static class FreePort
{
    /// <summary>One that nobody listens on now.</summary>
    public static int Find(IPAddress address)
    {
        using var listener = new TcpListener(address, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
