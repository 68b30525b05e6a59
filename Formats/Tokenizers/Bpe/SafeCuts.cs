using System.Text;

namespace Quilt.Formats.Tokenizers.Bpe;

/// <summary>
/// Where a long word can be cut without changing its ids: between two characters that are tokens and over whose border no merge reaches, which
/// is where no merge has a left side that ends in the first one and a right side that begins with the second. Where nothing splits the text into
/// words (SentencePiece's models), that is before most blanks, and turns one heap of a whole text into many short words.
/// </summary>
internal sealed class SafeCuts
{
    private const int Ascii = 128;
    private readonly HashSet<long> joined = [];
    private readonly bool[] asciiCut = new bool[Ascii * Ascii];
    private readonly IReadOnlyDictionary<int, int> characters;

    /// <param name="merges">The texts of all merges.</param>
    /// <param name="characters">Ids of the characters that are tokens, by code point.</param>
    public SafeCuts(IEnumerable<(string Left, string Right)> merges, IReadOnlyDictionary<int, int> characters)
    {
        this.characters = characters;
        foreach (var (left, right) in merges)
        {
            if (left.Length == 0 || right.Length == 0) continue;
            Rune.DecodeLastFromUtf16(left, out var last, out _);
            Rune.DecodeFromUtf16(right, out var first, out _);
            joined.Add(Key(last.Value, first.Value));
        }
        for (var a = 0; a < Ascii; a++)
            for (var b = 0; b < Ascii; b++) asciiCut[a * Ascii + b] = Separate(a, b);
    }

    /// <summary>Whether a word can be cut between two characters.</summary>
    public bool Between(int first, int second) => (first | second) < Ascii ? asciiCut[first * Ascii + second] : Separate(first, second);

    private bool Separate(int first, int second) =>
        !joined.Contains(Key(first, second)) && characters.ContainsKey(first) && characters.ContainsKey(second);

    // Times an odd number, which loses nothing: the hash of a long is its halves' exclusive or, in which pairs of near characters collide.
    private static long Key(int first, int second) => unchecked(((long)first << 21 | (uint)second) * (long)0x9E3779B97F4A7C15);
}
