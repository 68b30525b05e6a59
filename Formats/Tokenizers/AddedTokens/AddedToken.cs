namespace Quilt.Formats.Tokenizers.AddedTokens;

/// <summary>A text that is one token wherever it stands, as "added_tokens" describes it.</summary>
/// <param name="Content">The text.</param>
/// <param name="SingleWord">Only where no word character touches it.</param>
/// <param name="StripLeft">Takes the white space before it along.</param>
/// <param name="StripRight">Takes the white space behind it along.</param>
/// <param name="Normalized">Looked for in the normalized text, its own text normalized too.</param>
/// <param name="Special">Not part of what a model says; left out of decoded text on request.</param>
internal sealed record AddedToken(string Content, bool SingleWord, bool StripLeft, bool StripRight, bool Normalized, bool Special);
