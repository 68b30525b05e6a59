using System.Collections.Immutable;

namespace Quilt.Formats.Grammars.Json;

/// <summary>Schemas that a value has to meet at once, some of them denied; of none: any value. Equal goals have equal keys.</summary>
internal sealed class Goal
{
    private Goal(ImmutableArray<int> literals)
    {
        Literals = literals;
        Key = string.Join(' ', literals);
    }

    /// <summary>Any value.</summary>
    public static Goal Any { get; } = new([]);

    /// <summary>Twice the number of a schema, and one more where it is denied; in the order in which they were demanded.</summary>
    public ImmutableArray<int> Literals { get; }

    public string Key { get; }

    public static Goal Of(SchemaNode schema, bool isDenied = false) =>
        schema.Always == !isDenied ? Any : new([(2 * schema.Number) + (isDenied ? 1 : 0)]);

    /// <summary>What both demand.</summary>
    public Goal And(Goal other)
    {
        if (Literals.IsEmpty) return other;
        var added = other.Literals.Where(literal => !Literals.Contains(literal)).ToImmutableArray();
        return added.IsEmpty ? this : new([.. Literals, .. added]);
    }
}
