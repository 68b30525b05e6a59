namespace Quilt.Formats.Tensors;

/// <summary>
/// The write-only view of a file that one tensor may fill: exactly its bytes, neither more nor fewer; cancellation is looked at in every write.
/// </summary>
internal sealed class CountedStream(Stream inner, string name, long length, CancellationToken cancellation) : Stream
{
    private long written;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => length;

    public override long Position { get => written; set => throw new NotSupportedException(); }

    public void ThrowIfShort()
    {
        if (written != length) throw new InvalidOperationException($"{name}: {written} bytes were written, its shape takes {length}.");
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        cancellation.ThrowIfCancellationRequested();
        if (buffer.Length > length - written)
            throw new InvalidOperationException($"{name}: more bytes were written than the {length} its shape takes.");
        inner.Write(buffer);
        written += buffer.Length;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush() { }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
