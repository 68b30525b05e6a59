using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Quilt.Tests.Cluster.Tiers;

/// <summary>
/// As much of a Redis server as a client of GET, SET and EXISTS needs, in memory, in this process. Requests are arrays of bulk strings (RESP2); a
/// command it does not know is an error, as a server of another make would say.
/// </summary>
internal sealed class RespServer : IDisposable
{
    private readonly TcpListener listener;
    private readonly ConcurrentBag<TcpClient> clients = [];

    /// <summary>Starts it.</summary>
    /// <param name="port">Its port; 0: a free one.</param>
    public RespServer(int port = 0)
    {
        listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        Port = ((IPEndPoint)listener.LocalEndpoint).Port;
        _ = AcceptAsync();
    }

    public int Port { get; }

    public string Url => $"redis://127.0.0.1:{Port}";

    /// <summary>What it has, by the digits of its keys.</summary>
    public ConcurrentDictionary<string, byte[]> Values { get; } = new();

    /// <summary>Values that were sent to it.</summary>
    public int Sets => sets;

    private int sets;

    /// <summary>Drops all connections and listens no more.</summary>
    public void Dispose()
    {
        listener.Stop();
        foreach (var client in clients) client.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync();
                clients.Add(client);
                _ = ServeAsync(client);
            }
        }
        catch (Exception thrown) when (thrown is SocketException or ObjectDisposedException)
        {
            listener.Dispose();
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            // One for each way: a buffer with something left to read in it cannot be written through.
            var answers = client.GetStream();
            await using var stream = new BufferedStream(client.GetStream(), 1 << 16);
            while (await Line(stream) is { } head)
            {
                if (head.Length == 0 || head[0] != '*') return;
                var parts = new byte[int.Parse(head.AsSpan(1), null)][];
                for (var i = 0; i < parts.Length; i++)
                {
                    parts[i] = new byte[int.Parse((await Line(stream))!.AsSpan(1), null)];
                    await stream.ReadExactlyAsync(parts[i]);
                    await Line(stream);
                }
                await answers.WriteAsync(Answer(parts));
            }
        }
        catch (Exception thrown) when (thrown is IOException or ObjectDisposedException or SocketException)
        {
            client.Dispose();
        }
    }

    private byte[] Answer(byte[][] parts)
    {
        var key = parts.Length > 1 ? Convert.ToHexString(parts[1]) : "";
        switch (Encoding.ASCII.GetString(parts[0]).ToUpperInvariant())
        {
            case "PING":
                return "+PONG\r\n"u8.ToArray();
            case "ECHO":
                return Bulk(parts[1]);
            case "SELECT" or "CLIENT":
                return "+OK\r\n"u8.ToArray();
            case "GET":
                return Values.TryGetValue(key, out var value) ? Bulk(value) : "$-1\r\n"u8.ToArray();
            case "EXISTS":
                return Values.ContainsKey(key) ? ":1\r\n"u8.ToArray() : ":0\r\n"u8.ToArray();
            case "SET":
                Interlocked.Increment(ref sets);
                Values[key] = parts[2];
                return "+OK\r\n"u8.ToArray();
            default:
                return "-ERR unknown command\r\n"u8.ToArray();
        }
    }

    private static byte[] Bulk(byte[] value) => [.. Encoding.ASCII.GetBytes($"${value.Length}\r\n"), .. value, .. "\r\n"u8];

    private static async Task<string?> Line(Stream stream)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (await stream.ReadAsync(one) == 1)
        {
            if (one[0] == '\n') return line.ToString().TrimEnd('\r');
            line.Append((char)one[0]);
        }
        return null;
    }
}
