using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Formats.Tokenizers;

/// <summary>A text being written, in memory that is kept from text to text.</summary>
internal sealed class Utf8Buffer
{
    private byte[] bytes = new byte[256];

    public int Count { get; private set; }

    public ReadOnlySpan<byte> Text => bytes.AsSpan(0, Count);

    public void Clear() => Count = 0;

    public void Add(byte value)
    {
        if (Count == bytes.Length) Array.Resize(ref bytes, Count * 2);
        bytes[Count++] = value;
    }

    public void Add(ReadOnlySpan<byte> text)
    {
        Reserve(text.Length);
        text.CopyTo(bytes.AsSpan(Count));
        Count += text.Length;
    }

    public void AddCodePoint(int codePoint)
    {
        Reserve(4);
        Count += CodePoints.Write(codePoint, bytes.AsSpan(Count));
    }

    private void Reserve(int more)
    {
        if (bytes.Length - Count < more) Array.Resize(ref bytes, Math.Max(bytes.Length * 2, Count + more));
    }
}
