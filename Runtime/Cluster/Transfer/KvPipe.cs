using System.Buffers;
using System.IO.Pipelines;

namespace Quilt.Cluster.Transfer;

/// <summary>Frames over a stream.</summary>
internal sealed class KvPipe(Stream stream) : IDuplexPipe
{
    /// <summary>What comes.</summary>
    public PipeReader Input { get; } = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 1 << 16));

    /// <summary>What goes.</summary>
    public PipeWriter Output { get; } = PipeWriter.Create(stream);

    /// <summary>The next frame; null: the other side has nothing more to say.</summary>
    /// <param name="imageBytes">Bytes of an image.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="BadFrameException">What came is none, or broke off in the middle of one.</exception>
    public async Task<(KvFrameKind Kind, byte[] Payload)?> ReadFrameAsync(int imageBytes, CancellationToken cancel)
    {
        while (true)
        {
            var read = await Input.ReadAsync(cancel).ConfigureAwait(false);
            var taken = KvFrame.Read(read.Buffer, imageBytes, out var frame);
            if (taken > 0)
            {
                var copy = (frame.Kind, frame.Payload.ToArray());
                Input.AdvanceTo(read.Buffer.GetPosition(taken));
                return copy;
            }
            if (read.IsCompleted) return read.Buffer.IsEmpty ? null : throw new BadFrameException("expected the rest of a frame");
            Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>Sends a frame.</summary>
    public async Task WriteFrameAsync(KvFrameKind kind, ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second, CancellationToken cancel)
    {
        KvFrame.Write(Output, kind, first.Span, second.Span);
        await Output.FlushAsync(cancel).ConfigureAwait(false);
    }
}
