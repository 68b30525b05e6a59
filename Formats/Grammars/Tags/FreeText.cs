namespace Quilt.Formats.Grammars.Tags;

/// <summary>Text that ends at, or does without, some strings.</summary>
internal static class FreeText
{
    private static readonly GrammarNode AnyCharacter = new CodePoint(CodePointSet.Any);

    /// <summary>Text with none of some strings in it; any text where there are none.</summary>
    public static GrammarNode Without(IReadOnlyCollection<string> strings) => strings.Count == 0
        ? Nodes.AnyText
        : new Not(new Sequence([Nodes.AnyText, Any(strings), Nodes.AnyText]));

    /// <summary>Text up to and with one string, in which that comes only there, and no other of some strings comes at all.</summary>
    public static GrammarNode Until(string end, IReadOnlyCollection<string> strings) => new All(
    [
        new Sequence([Nodes.AnyText, Nodes.Text(end)]),
        new Not(new Sequence([Nodes.AnyText, Any(strings), new Repeat(AnyCharacter, 1, null)])),
    ]);

    private static Choice Any(IEnumerable<string> strings) => new([.. strings.Select(Nodes.Text)]);
}
