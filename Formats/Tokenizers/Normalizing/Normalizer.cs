using Quilt.Formats.Tokenizers.Patterns;

namespace Quilt.Formats.Tokenizers.Normalizing;

/// <summary>Rewrites a text before it is cut into words. Immutable.</summary>
internal abstract class Normalizer
{
    /// <summary>Writes the text rewritten, or returns false where it stays as it is.</summary>
    /// <param name="text">Valid UTF-8, not empty.</param>
    /// <param name="scratch">Memory to work with.</param>
    /// <param name="into">Receives the new text; empty when called.</param>
    /// <param name="opens">Whether the text still starts with what the original started with; set to false where that is removed.</param>
    public abstract bool Apply(ReadOnlySpan<byte> text, NormalizerScratch scratch, Utf8Buffer into, ref bool opens);
}

/// <summary>Memory reused by normalizers from text to text.</summary>
internal sealed class NormalizerScratch
{
    public Utf8Buffer Current { get; set; } = new();

    public Utf8Buffer Other { get; set; } = new();

    public MatchScratch Matching { get; } = new();

    public List<(int Start, int End)> Matches { get; } = [];

    public List<int> Codes { get; } = [];
}

/// <summary>All normalizers of a file, one after another.</summary>
internal sealed class NormalizerChain(IEnumerable<Normalizer> steps)
{
    private readonly Normalizer[] steps = [.. steps];

    /// <summary>The text rewritten; valid until the scratch is used again.</summary>
    /// <exception cref="PatternTooSlowException">A pattern needs too many steps on this text.</exception>
    public ReadOnlySpan<byte> Apply(ReadOnlySpan<byte> text, NormalizerScratch scratch, scoped ref bool opens)
    {
        scratch.Matching.Reset();
        foreach (var step in steps)
        {
            if (text.IsEmpty) break;
            scratch.Other.Clear();
            if (!step.Apply(text, scratch, scratch.Other, ref opens)) continue;
            (scratch.Current, scratch.Other) = (scratch.Other, scratch.Current);
            text = scratch.Current.Text;
        }
        return text;
    }
}
