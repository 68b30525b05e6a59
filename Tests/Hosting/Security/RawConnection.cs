using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Quilt.Tests.Hosting.Security;

/// <summary>What came back: 0 and nothing where the server just closed.</summary>
internal sealed record RawAnswer(int Status, string Head, string Body)
{
    /// <summary>A header's value; null: it is not there.</summary>
    public string? Header(string name) => Head.Split("\r\n").Skip(1)
        .Where(line => line.StartsWith($"{name}:", StringComparison.OrdinalIgnoreCase)).Select(line =>
            line[(name.Length + 1)..].Trim()).FirstOrDefault();
}

/// <summary>A TCP connection on which anything can be sent, HTTP or not.</summary>
internal sealed class RawConnection : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly byte[] buffer = new byte[1 << 16];
    private int start, end;

    private RawConnection(Socket socket) => Socket = socket;

    /// <summary>The socket.</summary>
    public Socket Socket { get; }

    /// <summary>Connects.</summary>
    public static async Task<RawConnection> OpenAsync(int port, int? receiveBuffer = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBuffer is { } bytes) socket.ReceiveBufferSize = bytes;
        await socket.ConnectAsync(IPAddress.Loopback, port);
        return new RawConnection(socket);
    }

    /// <summary>Sends a text as Latin-1.</summary>
    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>Sends bytes; a server that has closed meanwhile is no failure.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        using var late = new CancellationTokenSource(Patience);
        try
        {
            while (!bytes.IsEmpty) bytes = bytes[await Socket.SendAsync(bytes, late.Token)..];
        }
        catch (SocketException)
        {
        }
    }

    /// <summary>Sends a request and reads the answer.</summary>
    public async Task<RawAnswer> AskAsync(string head, byte[]? body = null)
    {
        await SendAsync(head);
        if (body is not null) await SendAsync(body);
        return await ReadAsync(isHead: head.StartsWith("HEAD ", StringComparison.Ordinal));
    }

    /// <summary>Sends JSON to a path, and does not wait for the answer.</summary>
    public async Task PostAsync(string path, byte[] body)
    {
        await SendAsync($"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n");
        await SendAsync(body);
    }

    /// <summary>Reads an answer: its length as it says, else until the end.</summary>
    public async Task<RawAnswer> ReadAsync(bool isHead = false)
    {
        var head = await ReadHeadAsync();
        // Nothing, or what answers the beginning of another protocol.
        if (!head.StartsWith("HTTP/1.", StringComparison.Ordinal)) return new(0, "", "");
        var status = int.Parse(head.AsSpan(9, 3), CultureInfo.InvariantCulture);
        var answer = new RawAnswer(status, head, "");
        if (isHead || status is 204 or 304) return answer;
        if (answer.Header("Content-Length") is { } length) return answer with { Body = await TakeAsync(int.Parse(length,
            CultureInfo.InvariantCulture)) };
        return answer with { Body = answer.Header("Transfer-Encoding") is not null ? await ChunksAsync() : await TakeAsync(int.MaxValue) };
    }

    /// <summary>The head of an answer; empty where the server closed.</summary>
    public async Task<string> ReadHeadAsync()
    {
        var head = new StringBuilder();
        while (await ReadLineAsync() is { } line)
        {
            if (line.Length == 0 && head.Length > 0) return head.ToString();
            head.Append(line).Append("\r\n");
        }
        return head.ToString();
    }

    /// <summary>A line; null at the end.</summary>
    public async Task<string?> ReadLineAsync()
    {
        var line = new List<byte>();
        while (start < end || await FillAsync())
        {
            var b = buffer[start++];
            if (b == '\n') return Encoding.UTF8.GetString([.. line]).TrimEnd('\r');
            line.Add(b);
        }
        return line.Count == 0 ? null : Encoding.UTF8.GetString([.. line]);
    }

    /// <summary>Whether the server closes, whatever it still sends.</summary>
    public async Task<bool> IsClosedAsync(TimeSpan within)
    {
        using var late = new CancellationTokenSource(within);
        try
        {
            while (await Socket.ReceiveAsync(buffer, late.Token) > 0)
            {
            }
            return true;
        }
        catch (SocketException)
        {
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Ends the connection with a reset, as a process does that is killed with something unread.</summary>
    public void Reset()
    {
        Socket.LingerState = new LingerOption(true, 0);
        Socket.Dispose();
    }

    public ValueTask DisposeAsync()
    {
        Socket.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<string> ChunksAsync()
    {
        var body = new StringBuilder();
        while (await ReadLineAsync() is { } size)
        {
            var length = int.Parse(size.Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            body.Append(await TakeAsync(length));
            await ReadLineAsync();
            if (length == 0) break;
        }
        return body.ToString();
    }

    private async Task<string> TakeAsync(int length)
    {
        var bytes = new MemoryStream();
        while (bytes.Length < length && (start < end || await FillAsync()))
        {
            var part = (int)Math.Min(end - start, length - bytes.Length);
            bytes.Write(buffer, start, part);
            start += part;
        }
        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    private async Task<bool> FillAsync()
    {
        using var late = new CancellationTokenSource(Patience);
        try
        {
            (start, end) = (0, await Socket.ReceiveAsync(buffer, late.Token));
            return end > 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
