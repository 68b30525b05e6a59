using System.Text.Json;

namespace Quilt.Formats.Grammars.Json;

/// <summary>
/// Exactly one of several schemas: where no value meets two of them, any of them; otherwise each together with the denial of those that it is not
/// known to be apart from.
/// </summary>
internal sealed partial class SchemaExpansion
{
    private const int MaxExclusive = 300;
    private const int MaxProof = 8;

    private List<Shape> OneOf(SchemaNode schema, JsonElement value)
    {
        var branches = Branches(schema, "oneOf", value).ToList();
        var all = branches.ConvertAll(branch => Expand(branch, false));
        var shapes = new List<Shape>();
        if (AreDifferentValues(all))
        {
            foreach (var branch in all) Add(schema, shapes, branch);
            return shapes;
        }
        if (all.Count > MaxExclusive) throw schema.Refusal("oneOf", $"expected at most {MaxExclusive} schemas, found {all.Count}");
        for (var i = 0; i < all.Count; i++)
        {
            var branch = all[i];
            for (var j = 0; j < all.Count; j++)
            {
                if (j != i && !AreApart(all[i], all[j], 0)) branch = Product(schema, branch, Expand(branches[j], true));
            }
            Add(schema, shapes, branch);
        }
        return shapes;
    }

    private static bool AreDifferentValues(List<IReadOnlyList<Shape>> branches)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var branch in branches)
        {
            var own = new HashSet<string>(StringComparer.Ordinal);
            foreach (var shape in branch)
            {
                if (shape.Values is null) return false;
                foreach (var value in shape.Values.Items) own.Add(value.Key);
            }
            if (seen.Overlaps(own)) return false;
            seen.UnionWith(own);
        }
        return true;
    }

    /// <summary>Whether surely no value has a shape of both.</summary>
    private bool AreApart(IReadOnlyList<Shape> left, IReadOnlyList<Shape> right, int depth)
    {
        foreach (var a in left)
        {
            foreach (var b in right)
            {
                if ((a.Types & b.Types) == 0) continue;
                if (++merges > MaxMerges) return false;
                if (a.Merge(b) is { } both && !IsEmpty(both, depth)) return false;
            }
        }
        return true;
    }

    // Surely empty: objects and lists that need what no value is.
    private bool IsEmpty(Shape shape, int depth)
    {
        if (shape.Values is not null || (shape.Types & ~(JsonTypes.Array | JsonTypes.Object)) != 0) return false;
        if (depth == MaxProof) return false;
        if (shape.Types.HasFlag(JsonTypes.Object)
            && !(shape.Objects is { } objects && objects.Required.Any(name => IsEmpty(objects.At(name), depth)))) return false;
        return !shape.Types.HasFlag(JsonTypes.Array)
            || (shape.Arrays is { } arrays
                && Enumerable.Range(0, Math.Min(arrays.Least, arrays.First.Length + 1)).Any(i => IsEmpty(arrays.At(i), depth)));
    }

    private bool IsEmpty(Goal goal, int depth)
    {
        // A goal whose schemas are being worked out is not known yet.
        if (goal.Literals.Any(literal => shapesByLiteral.TryGetValue(literal, out var known) && known is null)) return false;
        return Expand(goal).All(shape => IsEmpty(shape, depth + 1));
    }
}
