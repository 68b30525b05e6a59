using Quilt.Formats.Tokenizers.Unicode;

namespace Quilt.Formats.Tokenizers;

/// <summary>Rewrites a text before it is cut into words. Immutable.</summary>
internal abstract class Normalizer
{
    /// <summary>The text rewritten, or null where it stays as it is.</summary>
    public abstract byte[]? Apply(ReadOnlySpan<byte> text);
}

/// <summary>Several, one after another.</summary>
internal sealed class NormalizerSequence(IReadOnlyList<Normalizer> steps) : Normalizer
{
    public override byte[]? Apply(ReadOnlySpan<byte> text)
    {
        byte[]? result = null;
        foreach (var step in steps) result = step.Apply(result is null ? text : result) ?? result;
        return result;
    }
}

/// <summary>"NFC", by Unicode 9.0.</summary>
internal sealed class ComposingNormalizer : Normalizer
{
    public override byte[]? Apply(ReadOnlySpan<byte> text) => Normalization.IsComposed(text) ? null : Normalization.Compose(text);
}
