using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Quilt.Cluster.Simulation;

/// <summary>The tokens of a trace's contents: pseudorandom, and the same for the same name everywhere.</summary>
internal static class TraceContent
{
    private const int Vocabulary = 200_064;
    private const int CharactersOfToken = 4;

    /// <summary>The number that a content's tokens follow from.</summary>
    public static ulong Seed(string content) => XxHash64.HashToUInt64(MemoryMarshal.AsBytes(content.AsSpan()));

    /// <summary>A content's token at a place.</summary>
    public static int Token(ulong seed, int at)
    {
        // SplitMix64.
        var mixed = seed + ((ulong)(at + 1) * 0x9E3779B97F4A7C15);
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return (int)((mixed ^ (mixed >> 31)) % Vocabulary);
    }

    /// <summary>Puts a prompt's tokens into a list, which is emptied first.</summary>
    public static void Fill(TraceRequest request, List<int> tokens)
    {
        tokens.Clear();
        foreach (var part in request.Prompt)
        {
            var seed = Seed(part.Content);
            for (var i = 0; i < part.Tokens; i++) tokens.Add(Token(seed, i));
        }
    }

    /// <summary>Tokens as text, four letters each, which is about what English has.</summary>
    public static string Text(IReadOnlyList<int> tokens) => string.Create(tokens.Count * CharactersOfToken, tokens, static (text, of) =>
    {
        for (var i = 0; i < text.Length; i++)
            text[i] = (char)('a' + ((of[i / CharactersOfToken] >> (5 * (i % CharactersOfToken))) & 31));
    });
}
