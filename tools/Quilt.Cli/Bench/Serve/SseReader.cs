using System.Buffers;
using System.Diagnostics;

namespace Quilt.Cli.Bench.Serve;

/// <summary>
/// Reads server-sent events (the HTML standard's text/event-stream) from bytes as they come: the data of each event and when its last byte was
/// there. Other fields and comments are skipped. What the stream ends in the middle of is taken as an event too.
/// </summary>
/// <param name="stream">The body of a response; not disposed of.</param>
/// <param name="mostBytes">An event that is longer is refused.</param>
internal sealed class SseReader(Stream stream, int mostBytes = 16 << 20) : IDisposable
{
    private readonly ArrayBufferWriter<byte> data = new(512);
    private byte[] buffer = ArrayPool<byte>.Shared.Rent(8 << 10);
    private int start, scanned, end;
    private bool hasData, skipLineFeed, ended;

    /// <summary>The event's data, lines joined by line feeds; valid until the next read.</summary>
    public ReadOnlySpan<byte> Data => data.WrittenSpan;

    /// <summary>When the bytes came that ended the event, on <see cref="Stopwatch"/>'s clock: events of one packet came together.</summary>
    public long ArrivedAt { get; private set; } = Stopwatch.GetTimestamp();

    /// <summary>Goes to the next event that has data; false at the end.</summary>
    /// <exception cref="InvalidDataException">An event is too long.</exception>
    public async ValueTask<bool> ReadAsync(CancellationToken cancel)
    {
        data.ResetWrittenCount();
        hasData = false;
        while (!TakeEvent())
        {
            if (ended) return false;
            MakeRoom();
            var count = await stream.ReadAsync(buffer.AsMemory(end), cancel).ConfigureAwait(false);
            ArrivedAt = Stopwatch.GetTimestamp();
            end += count;
            ended = count == 0;
        }
        return true;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
    }

    private bool TakeEvent()
    {
        while (TakeLine(out var line))
        {
            if (line.IsEmpty)
            {
                if (hasData) return true;
                continue;
            }
            var colon = line.IndexOf((byte)':');
            if (!(colon < 0 ? line : line[..colon]).SequenceEqual("data"u8)) continue;
            var value = colon < 0 ? default : line[(colon + 1)..];
            if (!value.IsEmpty && value[0] == ' ') value = value[1..];
            if (hasData) data.Write("\n"u8);
            data.Write(value);
            hasData = true;
        }
        return ended && hasData;
    }

    // A line ends with CR, LF or both; whether an LF follows a CR may only show in the next packet.
    private bool TakeLine(out ReadOnlySpan<byte> line)
    {
        line = default;
        if (skipLineFeed && start < end)
        {
            if (buffer[start] == '\n') start++;
            skipLineFeed = false;
            scanned = Math.Max(scanned, start);
        }
        var found = buffer.AsSpan(scanned, end - scanned).IndexOfAny((byte)'\r', (byte)'\n');
        if (found < 0)
        {
            scanned = end;
            if (!ended || start == end) return false;
            line = buffer.AsSpan(start, end - start);
            start = end;
            return true;
        }
        line = buffer.AsSpan(start, scanned + found - start);
        skipLineFeed = buffer[scanned + found] == '\r';
        start = scanned = scanned + found + 1;
        return true;
    }

    private void MakeRoom()
    {
        if (data.WrittenCount + (end - start) > mostBytes)
            throw new InvalidDataException($"an event of at most {mostBytes} bytes was expected, found a longer one");
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (scanned, end, start) = (scanned - start, end - start, 0);
        }
        if (end < buffer.Length) return;
        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.AsSpan(0, end).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }
}
