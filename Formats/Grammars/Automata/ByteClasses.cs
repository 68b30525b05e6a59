namespace Quilt.Formats.Grammars.Automata;

/// <summary>Numbers for bytes; those that no expression tells apart have the same.</summary>
internal sealed class ByteClasses
{
    private readonly byte[] classOf = new byte[256];
    private readonly byte[] sample;

    /// <param name="expressions">The expressions of a grammar.</param>
    public ByteClasses(IEnumerable<Expression> expressions)
    {
        var starts = new bool[257];
        starts[0] = true;
        foreach (var bytes in expressions)
        {
            if (bytes.Kind != ExpressionKind.Bytes) continue;
            for (var i = 0; i < bytes.Lows.Length; i++) starts[bytes.Lows[i]] = starts[bytes.Highs[i] + 1] = true;
        }
        var samples = new List<byte>();
        for (var value = 0; value < 256; value++)
        {
            if (starts[value]) samples.Add((byte)value);
            classOf[value] = (byte)(samples.Count - 1);
        }
        sample = [.. samples];
    }

    /// <summary>How many there are.</summary>
    public int Count => sample.Length;

    /// <summary>The class of each byte.</summary>
    public ReadOnlySpan<byte> Of => classOf;

    /// <summary>The lowest byte of a class; its others follow it.</summary>
    public byte Sample(int number) => sample[number];

    /// <summary>The highest byte of a class.</summary>
    public byte Last(int number) => number + 1 < sample.Length ? (byte)(sample[number + 1] - 1) : (byte)255;

    /// <summary>The highest byte of the class of a byte.</summary>
    public byte LastLike(byte value) => Last(classOf[value]);
}
