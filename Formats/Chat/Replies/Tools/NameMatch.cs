namespace Quilt.Formats.Chat.Replies;

/// <summary>What was found for the name of a call.</summary>
/// <param name="Tool">The tool; null where none is meant, or which is not certain.</param>
/// <param name="Fit">How well the name fits.</param>
internal readonly record struct NameMatch(DeclaredTool? Tool, NameFit Fit);

/// <summary>How well a name fits the declared tools.</summary>
internal enum NameFit
{
    Found,
    NotNear,

    /// <summary>More than one, equally well.</summary>
    Several,

    /// <summary>It is no name: a counter, an id, or nothing at all.</summary>
    SaysNothing,
}
