using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// Asks the memory for the words of a tile before they are needed. A processor does so itself where it sees one stream of addresses; it is late where
/// a page or a tile ends and several streams run together. x64 only: nothing is asked elsewhere.
/// </summary>
internal static unsafe class TilePrefetch
{
    /// <summary>
    /// How far ahead, in words: 6 KB, a quarter of a tile of 3,072 columns of INT4. Measured: half and twice as far are little slower.
    /// </summary>
    public const int Ahead = 1536;

    /// <summary>
    /// How far ahead of a word to ask, of two tiles that are read side by side: behind the end of one lies the other, which was read with it, so what
    /// comes next is a tile further on.
    /// </summary>
    /// <param name="layout">The tiles.</param>
    /// <param name="word">The place in the tile, of as many words as a row has.</param>
    /// <param name="besides">Tiles read side by side: 1 or 2.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nint From(TileLayout layout, int word, int besides) =>
        besides == 2 && word + (Ahead / 16) >= layout.Words ? Ahead + ((nint)layout.Words * 16) : Ahead;

    /// <summary>What four words of 16 rows need, <paramref name="ahead"/> words from there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Group(float* words, nint ahead)
    {
        if (!Sse.IsSupported) return;
        words += ahead;
        Sse.Prefetch0(words);
        Sse.Prefetch0(words + 16);
        Sse.Prefetch0(words + 32);
        Sse.Prefetch0(words + 48);
    }

    /// <summary>The same of two words of 16 rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Two(float* words, nint ahead)
    {
        if (!Sse.IsSupported) return;
        words += ahead;
        Sse.Prefetch0(words);
        Sse.Prefetch0(words + 16);
    }
}
