using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Formats.Tokenizers.Bpe;

/// <summary>
/// From words to the symbols that merge: what stands for a character, what for bytes of one without a token, and what for the unknown. Immutable.
/// </summary>
/// <param name="unknown">The token of characters without one, or -1 where such characters are dropped.</param>
/// <param name="fuseUnknown">Whether a run of them becomes one token.</param>
internal abstract class Spelling(int unknown, bool fuseUnknown)
{
    /// <summary>Spells a word and returns how many symbols it has.</summary>
    /// <param name="word">The word.</param>
    /// <param name="symbols">Receives them; replaced by a larger array where it is too small.</param>
    public abstract int Spell(ReadOnlySpan<byte> word, ref int[] symbols);

    /// <summary>Symbols as they are added. An unknown token stays open until a known character, the end, or another unknown one.</summary>
    protected ref struct Writer(Spelling spelling, ref int[] symbols)
    {
        private readonly ref int[] symbols = ref symbols;
        private int count;
        private bool open;

        /// <summary>A character that is a token.</summary>
        public void Known(int id)
        {
            Close();
            Add(id);
        }

        /// <summary>A character spelled in bytes. They go before an unknown token that is open: the library works that way.</summary>
        public void Bytes(scoped ReadOnlySpan<int> ids)
        {
            foreach (var id in ids) Add(id);
        }

        /// <summary>A character without a token.</summary>
        public void Unknown()
        {
            if (spelling.unknown < 0) return;
            if (!spelling.fuseUnknown) Close();
            open = true;
        }

        /// <summary>Ends the word and returns how many symbols it has.</summary>
        public int End()
        {
            Close();
            return count;
        }

        private void Close()
        {
            if (open) Add(spelling.unknown);
            open = false;
        }

        private void Add(int id)
        {
            if (count == symbols.Length) Array.Resize(ref symbols, count * 2);
            symbols[count++] = id;
        }
    }

    private readonly int unknown = unknown;
    private readonly bool fuseUnknown = fuseUnknown;
}

/// <summary>Spells words that come as bytes: byte-level BPE.</summary>
/// <param name="symbols">By byte: one token, those of a byte fallback, or none.</param>
/// <param name="known">By byte, whether it is a token by itself.</param>
/// <param name="unknown">See <see cref="Spelling"/>.</param>
/// <param name="fuseUnknown">See <see cref="Spelling"/>.</param>
internal sealed class ByteSpelling(int[][] symbols, bool[] known, int unknown, bool fuseUnknown) : Spelling(unknown, fuseUnknown)
{
    public override int Spell(ReadOnlySpan<byte> word, ref int[] into)
    {
        var writer = new Writer(this, ref into);
        foreach (var value in word)
        {
            if (known[value]) writer.Known(symbols[value][0]);
            else if (symbols[value].Length > 0) writer.Bytes(symbols[value]);
            else writer.Unknown();
        }
        return writer.End();
    }
}

/// <summary>Spells words by their characters, of which those that go on with a word and the one that ends it may be other tokens.</summary>
/// <param name="tokens">Ids by code point, at index (goes on ? 1 : 0) + (ends ? 2 : 0).</param>
/// <param name="prefix">Written before a character that goes on with a word.</param>
/// <param name="suffix">Written behind the one that ends it.</param>
/// <param name="byteTokens">Tokens by byte for what has none, -1 where one is missing; null where there is no byte fallback.</param>
/// <param name="unknown">See <see cref="Spelling"/>.</param>
/// <param name="fuseUnknown">See <see cref="Spelling"/>.</param>
internal sealed class CharacterSpelling(Dictionary<int, int>[] tokens, byte[] prefix, byte[] suffix, int[]? byteTokens, int unknown, bool fuseUnknown)
    : Spelling(unknown, fuseUnknown)
{
    private readonly int[][] ascii = [.. tokens.Select(its => Enumerable.Range(0, 128).Select(c => its.GetValueOrDefault(c, -1)).ToArray())];

    public override int Spell(ReadOnlySpan<byte> word, ref int[] into)
    {
        var writer = new Writer(this, ref into);
        Span<int> bytes = stackalloc int[4 + prefix.Length + suffix.Length];
        for (int at = 0, length; at < word.Length; at += length)
        {
            var code = CodePoints.Read(word, at, out length);
            bool goesOn = at > 0, ends = at + length == word.Length;
            var place = (goesOn ? 1 : 0) + (ends ? 2 : 0);
            var id = code < 0x80 ? ascii[place][code] : tokens[place].GetValueOrDefault(code, -1);
            var count = 0;
            if (id >= 0) writer.Known(id);
            else if (byteTokens is not null && (!goesOn || Add(prefix, bytes, ref count)) && Add(word.Slice(at, length), bytes, ref count)
                && (!ends || Add(suffix, bytes, ref count))) writer.Bytes(bytes[..count]);
            else writer.Unknown();
        }
        return writer.End();
    }

    private bool Add(ReadOnlySpan<byte> text, Span<int> into, ref int count)
    {
        foreach (var value in text)
        {
            if (byteTokens![value] < 0) return false;
            into[count++] = byteTokens[value];
        }
        return true;
    }
}
