using System.Collections.Immutable;

namespace Quilt.Formats.Grammars.Json;

/// <summary>Types of JSON values, so that each value is of exactly one.</summary>
[Flags]
internal enum JsonTypes
{
    None = 0,
    Null = 1,
    True = 2,
    False = 4,

    /// <summary>Numbers that are whole.</summary>
    Integer = 8,

    /// <summary>Numbers that are not.</summary>
    Fraction = 16,
    String = 32,
    Array = 64,
    Object = 128,

    Boolean = True | False,
    Number = Integer | Fraction,
    Any = Null | Boolean | Number | String | Array | Object,
}

/// <summary>
/// Values that meet some demands at once: a schema without anything that combines schemas. Limits that are null demand nothing. What values hold
/// (properties, items) is left as <see cref="Goal"/>s, so that a schema may hold itself.
/// </summary>
internal sealed record Shape
{
    /// <summary>Every value.</summary>
    public static Shape Any { get; } = new();

    /// <summary>Types it has, one at least.</summary>
    public JsonTypes Types { get; init; } = JsonTypes.Any;

    /// <summary>The only values, where they are listed.</summary>
    public ValueSet? Values { get; init; }

    public NumberLimits? Numbers { get; init; }

    public TextLimits? Texts { get; init; }

    public ArrayLimits? Arrays { get; init; }

    public ObjectLimits? Objects { get; init; }

    /// <summary>Types of which the demands are more than could be expressed, and why; the schema is refused if one of them is left.</summary>
    public ImmutableArray<Obstacle> Obstacles { get; init; } = [];

    /// <summary>Whether lists or objects may be among its values, and are not listed.</summary>
    public bool IsNested => Values is null && (Types & (JsonTypes.Array | JsonTypes.Object)) != 0;

    /// <summary>What meets the demands of both; null where surely nothing does.</summary>
    public Shape? Merge(Shape other)
    {
        if (ReferenceEquals(this, Any)) return other;
        if (ReferenceEquals(other, Any)) return this;
        var merged = new Shape
        {
            Types = Types & other.Types,
            Values = Values is null ? other.Values : other.Values is null ? Values : Values.Intersect(other.Values),
            Numbers = Numbers is null ? other.Numbers : other.Numbers is null ? Numbers : Numbers.Merge(other.Numbers),
            Texts = Texts is null ? other.Texts : other.Texts is null ? Texts : Texts.Merge(other.Texts),
            Arrays = Arrays is null ? other.Arrays : other.Arrays is null ? Arrays : Arrays.Merge(other.Arrays),
            Objects = Objects is null ? other.Objects : other.Objects is null ? Objects : Objects.Merge(other.Objects),
            Obstacles = Obstacles.IsEmpty ? other.Obstacles : other.Obstacles.IsEmpty ? Obstacles : [.. Obstacles, .. other.Obstacles],
        };
        return merged.Settle();
    }

    /// <summary>The same without types and values that do not meet it; null where nothing is left.</summary>
    public Shape? Settle()
    {
        var types = Types;
        if (Numbers is { } numbers)
        {
            if (numbers.IsEmpty) types &= ~JsonTypes.Number;
            else if (numbers.LeastInteger > numbers.MostInteger) types &= ~JsonTypes.Integer;
        }
        if (Texts is { IsEmpty: true }) types &= ~JsonTypes.String;
        if (Arrays is { IsEmpty: true }) types &= ~JsonTypes.Array;
        if (Objects is { IsEmpty: true }) types &= ~JsonTypes.Object;
        var values = Values;
        if (values is not null)
        {
            var typed = this with { Types = types };
            values = values.Where(typed.MayBe);
            types = values.Types;
        }
        if (types == JsonTypes.None) return null;
        return types == Types && values == Values ? this : this with { Types = types, Values = values };
    }

    // By type and bounds; patterns are looked at when a grammar is made of it.
    private bool MayBe(SchemaValue value) => (value.Type & Types) != 0 && value.Type switch
    {
        JsonTypes.Integer or JsonTypes.Fraction => Numbers is null || (value.Number is { } number && Numbers.Accepts(number)),
        JsonTypes.String => Texts is null || Texts.AcceptsLength(value.Element.GetString()!),
        _ => true,
    };
}

/// <summary>Why values of some types cannot be described.</summary>
internal sealed record Obstacle(JsonTypes Types, string Pointer, string Reason);
