using System.Collections.Immutable;

namespace Quilt.Formats.Grammars.Json;

/// <summary>What lists may be.</summary>
/// <param name="First">What each of the first items has to meet.</param>
/// <param name="Rest">What the items behind them have to meet; null where nothing is said of them.</param>
/// <param name="Least">Items, at least.</param>
/// <param name="Most">At most; null: no bound.</param>
/// <param name="Contains">Goals each of which one item at least meets.</param>
internal sealed record ArrayLimits(ImmutableArray<Goal> First, Goal? Rest, int Least, int? Most, ImmutableArray<Goal> Contains)
{
    public bool IsEmpty => Most < Least || (Most == 0 && !Contains.IsEmpty);

    /// <summary>Whether nothing may follow the first items: a schema that names some and is silent about others closes the list.</summary>
    public bool IsClosed => Rest is null && !First.IsEmpty;

    public ArrayLimits Merge(ArrayLimits other)
    {
        var count = Math.Max(First.Length, other.First.Length);
        var first = ImmutableArray.CreateBuilder<Goal>(count);
        for (var i = 0; i < count; i++) first.Add(At(i).And(other.At(i)));
        var rest = Rest is null ? other.Rest : other.Rest is null ? Rest : Rest.And(other.Rest);
        return new(first.MoveToImmutable(), rest, Math.Max(Least, other.Least),
            Most is null ? other.Most : other.Most is { } most ? Math.Min(most, Most.Value) : Most, [.. Contains, .. other.Contains]);
    }

    /// <summary>What the item at a position has to meet.</summary>
    public Goal At(int index) => index < First.Length ? First[index] : Rest ?? Goal.Any;
}
