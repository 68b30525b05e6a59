using System.Numerics;
using System.Runtime.InteropServices;

namespace Quilt.Runtime.Sampling;

/// <summary>What is done with <see cref="SamplerState.Mask"/>.</summary>
internal static class VocabularyMask
{
    // Lane i of a vector has bit i.
    private static readonly Vector<int> LaneBits = Vector.Create<int>([.. Enumerable.Range(0, Vector<int>.Count).Select(lane => 1 << lane)]);

    /// <summary>Whether a token may come.</summary>
    public static bool Allows(ReadOnlySpan<uint> mask, int token) => token >> 5 < mask.Length && (mask[token >> 5] >> (token & 31) & 1) != 0;

    /// <summary>How many tokens of a vocabulary may come, or any number above <paramref name="most"/> if they are more than that.</summary>
    public static int Count(ReadOnlySpan<uint> mask, int vocabulary, int most)
    {
        var whole = mask[..Math.Min(mask.Length, vocabulary >> 5)];
        var count = 0;
        foreach (var pair in MemoryMarshal.Cast<uint, ulong>(whole))
        {
            count += BitOperations.PopCount(pair);
            if (count > most) return count;
        }
        if (whole.Length % 2 == 1) count += BitOperations.PopCount(whole[^1]);
        return count + BitOperations.PopCount(Rest(mask, vocabulary));
    }

    /// <summary>Writes the ids of the tokens that may come, ascending; returns how many they are.</summary>
    public static int Collect(ReadOnlySpan<uint> mask, int vocabulary, Span<int> ids)
    {
        var count = 0;
        var words = vocabulary >> 5;
        for (var i = 0; i < Math.Min(mask.Length, words + 1); i++)
        {
            for (var word = i < words ? mask[i] : Rest(mask, vocabulary); word != 0; word &= word - 1)
                ids[count++] = (i << 5) + BitOperations.TrailingZeroCount(word);
        }
        return count;
    }

    /// <summary>Sets the logits of all tokens that may not come to −∞.</summary>
    public static void Keep(ReadOnlySpan<uint> mask, Span<float> logits)
    {
        var words = Math.Min(mask.Length, logits.Length >> 5);
        for (var i = 0; i < words; i++)
        {
            var word = mask[i];
            if (word == uint.MaxValue) continue;
            var part = logits.Slice(i << 5, 32);
            if (word == 0) part.Fill(float.NegativeInfinity);
            else Keep(word, part);
        }
        for (var id = words << 5; id < logits.Length; id++)
        {
            if (!Allows(mask, id)) logits[id] = float.NegativeInfinity;
        }
    }

    private static void Keep(uint word, Span<float> part)
    {
        var none = Vector.Create(float.NegativeInfinity);
        for (var i = 0; i < part.Length; i += Vector<float>.Count)
        {
            var isAllowed = Vector.Equals(Vector.Create((int)(word >> i)) & LaneBits, LaneBits);
            Vector.ConditionalSelect(isAllowed, new Vector<float>(part[i..]), none).CopyTo(part[i..]);
        }
    }

    // The bits of the word that only begins inside the vocabulary.
    private static uint Rest(ReadOnlySpan<uint> mask, int vocabulary) =>
        vocabulary >> 5 < mask.Length ? mask[vocabulary >> 5] & ((1u << (vocabulary & 31)) - 1) : 0;
}
