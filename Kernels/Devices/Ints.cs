namespace Quilt.Kernels.Devices;

/// <summary>
/// Integers of a step (token ids, positions, slots, tables): always on the host, and on a GPU too where <see cref="OpStream.Place"/> put them there.
/// </summary>
internal readonly ref struct Ints(ReadOnlySpan<int> host, int offset = -1)
{
    /// <summary>The numbers.</summary>
    public ReadOnlySpan<int> Host { get; } = host;

    /// <summary>Where in the stream's device memory they lie; −1 where they are on the host only.</summary>
    public int Offset { get; } = offset;

    /// <summary>How many.</summary>
    public int Length => Host.Length;

    public static implicit operator Ints(ReadOnlySpan<int> host) => new(host);

    public static implicit operator Ints(int[] host) => new(host);
}
