using System.Collections.Immutable;

namespace Quilt.Formats.Grammars.Json;

/// <summary>What objects may be.</summary>
/// <param name="Parts">What schemas say of properties by their names: all of it holds.</param>
/// <param name="Required">Names that have to be there.</param>
/// <param name="Least">Properties, at least.</param>
/// <param name="Most">At most; null: no bound.</param>
/// <param name="Names">What every name, as a text, has to meet.</param>
/// <param name="IsMerged">Whether several schemas speak of it, so that none of them gives the order of its properties.</param>
internal sealed record ObjectLimits(ImmutableArray<ObjectPart> Parts, ImmutableArray<string> Required, int Least, int? Most,
    ImmutableArray<Goal> Names, bool IsMerged)
{
    public static ObjectLimits Any { get; } = new([], [], 0, null, [], false);

    public bool IsEmpty => Most < Least || Most < Required.Length;

    public ObjectLimits Merge(ObjectLimits other) => new(
        [.. Parts, .. other.Parts],
        Required.IsEmpty ? other.Required : other.Required.IsEmpty ? Required : [.. Required.Union(other.Required, StringComparer.Ordinal)],
        Math.Max(Least, other.Least),
        Most is null ? other.Most : other.Most is { } most ? Math.Min(most, Most.Value) : Most,
        [.. Names, .. other.Names],
        true);

    /// <summary>What the value of a property has to meet.</summary>
    public Goal At(string name) => Parts.Aggregate(Goal.Any, (goal, part) => goal.And(part.At(name)));

    /// <summary>Whether properties that no part names are out, though none says so.</summary>
    public bool IsClosed => Parts.Any(part => part is { IsListing: true }) && Parts.All(part => part.Others is null);
}

/// <summary>What one schema says of an object's properties.</summary>
/// <param name="Properties">By name, in order.</param>
/// <param name="Patterns">By patterns of names.</param>
/// <param name="Others">What other properties have to meet; null where nothing is said of them.</param>
/// <param name="IsListing">Whether the schema lists properties, so that by silence others are out; what is derived from a denial lists none.</param>
internal sealed record ObjectPart(OrderedDictionary<string, Goal> Properties, ImmutableArray<NamePattern> Patterns, Goal? Others, bool IsListing)
{
    public Goal At(string name)
    {
        var goal = Properties.TryGetValue(name, out var known) ? known : null;
        foreach (var pattern in Patterns)
        {
            if (RegularText.Matches(pattern.Names, name, pattern.Budget)) goal = goal is null ? pattern.Goal : goal.And(pattern.Goal);
        }
        return goal ?? Others ?? Goal.Any;
    }
}

/// <summary>Properties whose names a regular node takes.</summary>
internal sealed record NamePattern(GrammarNode Names, Goal Goal, MatchBudget Budget);
