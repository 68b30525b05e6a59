using System.Numerics;

namespace Quilt.Quantizer.Calibration;

/// <summary>
/// numpy's default_rng(seed), bit for bit, as far as a permutation needs it: a SeedSequence over the seed, and a PCG64 (XSL-RR, 128 bits of state)
/// started from it.
/// </summary>
internal sealed class NumpyRandom
{
    private static readonly UInt128 Multiplier = new(2549297995355413924, 4865540595714422341);
    private readonly UInt128 increment;
    private UInt128 state;
    private uint? upper;          // what the last 64 bits left for the next call

    /// <param name="seed">Not negative, of any size.</param>
    public NumpyRandom(BigInteger seed)
    {
        var words = NumpySeed.Generate(seed, 8);
        increment = (Wide(words, 4) << 1) | 1;
        Step();
        state += Wide(words, 0);
        Step();
    }

    /// <summary>The numbers from 0 to <paramref name="count"/> − 1 in the order of Generator.permutation.</summary>
    public static int[] Permutation(BigInteger seed, int count)
    {
        var random = new NumpyRandom(seed);
        var order = Enumerable.Range(0, count).ToArray();
        for (var i = count - 1; i > 0; i--)
        {
            var j = (int)random.UpTo((uint)i);
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }

    /// <summary>The next 64 bits.</summary>
    public ulong Next64()
    {
        Step();
        return BitOperations.RotateRight((ulong)(state >> 64) ^ (ulong)state, (int)(state >> 122));
    }

    // 64 bits are used up in halves, the lower one first.
    private uint Next32()
    {
        if (upper is { } rest)
        {
            upper = null;
            return rest;
        }
        var bits = Next64();
        upper = (uint)(bits >> 32);
        return (uint)bits;
    }

    // By rejection of what lies above, after masking to the bits of the largest.
    private uint UpTo(uint largest)
    {
        var mask = uint.MaxValue >> BitOperations.LeadingZeroCount(largest);
        uint value;
        do value = Next32() & mask;
        while (value > largest);
        return value;
    }

    private void Step() => state = unchecked((state * Multiplier) + increment);

    // Four words: the upper 64 bits first, and of those the lower 32 first.
    private static UInt128 Wide(uint[] words, int at) =>
        new(words[at] | ((ulong)words[at + 1] << 32), words[at + 2] | ((ulong)words[at + 3] << 32));
}
