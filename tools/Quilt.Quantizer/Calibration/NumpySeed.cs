using System.Numerics;

namespace Quilt.Quantizer.Calibration;

/// <summary>numpy's SeedSequence: four words mixed from a seed, and as many words as are asked for out of those.</summary>
internal static class NumpySeed
{
    private const int PoolSize = 4;

    /// <summary>The first words of generate_state.</summary>
    /// <param name="seed">Not negative, of any size.</param>
    /// <param name="count">Words wanted.</param>
    public static uint[] Generate(BigInteger seed, int count)
    {
        var pool = Mix(Words(seed));
        var hash = new Hash(0x8b51f9dd, 0x58f38ded);
        return [.. Enumerable.Range(0, count).Select(i => hash.Next(pool[i % PoolSize]))];
    }

    // The lowest 32 bits first; zero is one word.
    private static List<uint> Words(BigInteger seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(seed);
        var words = new List<uint>();
        do
        {
            words.Add((uint)(seed & uint.MaxValue));
            seed >>= 32;
        }
        while (!seed.IsZero);
        return words;
    }

    private static uint[] Mix(List<uint> words)
    {
        var hash = new Hash(0x43b0d7e5, 0x931e8875);
        var pool = Enumerable.Range(0, PoolSize).Select(i => hash.Next(i < words.Count ? words[i] : 0)).ToArray();
        for (var from = 0; from < PoolSize; from++)
        {
            for (var to = 0; to < PoolSize; to++)
            {
                if (to != from) pool[to] = Combine(pool[to], hash.Next(pool[from]));
            }
        }
        foreach (var word in words.Skip(PoolSize))
        {
            for (var to = 0; to < PoolSize; to++) pool[to] = Combine(pool[to], hash.Next(word));
        }
        return pool;
    }

    private static uint Combine(uint x, uint y)
    {
        var mixed = unchecked((0xca01f9dd * x) - (0x4973f715 * y));
        return mixed ^ (mixed >> 16);
    }

    // A multiplicative hash whose constant moves on with every word.
    private sealed class Hash(uint constant, uint multiplier)
    {
        private uint constant = constant;

        public uint Next(uint word)
        {
            word ^= constant;
            constant = unchecked(constant * multiplier);
            word = unchecked(word * constant);
            return word ^ (word >> 16);
        }
    }
}
