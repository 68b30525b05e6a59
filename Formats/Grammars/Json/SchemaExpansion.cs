using System.Text.Json;

namespace Quilt.Formats.Grammars.Json;

/// <summary>
/// A schema as shapes, one of which a value has: what combines schemas (allOf, anyOf, oneOf, not, if, dependent ones, references) is worked out, so
/// far as it speaks of the value itself. What a value holds stays for later. A value may have several of the shapes; a value that has one meets
/// the schema, and every value that meets it has one.
/// </summary>
internal sealed partial class SchemaExpansion(SchemaDocument document)
{
    private const int MaxDepth = 256;
    private const int MaxShapes = 20_000;
    private const int MaxMerges = 400_000;

    private static readonly IReadOnlyList<Shape> Everything = [Shape.Any];
    private static readonly IReadOnlyList<Shape> Nothing = [];

    // null while a literal is worked out.
    private readonly Dictionary<int, IReadOnlyList<Shape>?> shapesByLiteral = [];
    private readonly Dictionary<string, IReadOnlyList<Shape>> shapesByGoal = new(StringComparer.Ordinal);
    private int depth;
    private int merges;

    /// <summary>The shapes of values that meet a goal; of none where surely no value does.</summary>
    public IReadOnlyList<Shape> Expand(Goal goal)
    {
        if (goal.Literals.Length == 1) return Expand(goal.Literals[0]);
        if (shapesByGoal.TryGetValue(goal.Key, out var known)) return known;
        var shapes = Everything;
        foreach (var literal in goal.Literals) shapes = Product(document[literal / 2], shapes, Expand(literal));
        shapesByGoal.Add(goal.Key, shapes);
        return shapes;
    }

    private IReadOnlyList<Shape> Expand(SchemaNode schema, bool isDenied) => Expand((2 * schema.Number) + (isDenied ? 1 : 0));

    private IReadOnlyList<Shape> Expand(int literal)
    {
        var schema = document[literal / 2];
        if (shapesByLiteral.TryGetValue(literal, out var known))
        {
            return known ?? throw new BadInputException(JsonSchemaReader.Origin, schema.Pointer, "refers to itself, and nothing else is between");
        }
        if (++depth > MaxDepth)
            throw new BadInputException(JsonSchemaReader.Origin, schema.Pointer, $"expected schemas combined {MaxDepth} deep at most");
        shapesByLiteral.Add(literal, null);
        var isDenied = literal % 2 == 1;
        var shapes = schema.Always is { } always ? always != isDenied ? Everything : Nothing : isDenied ? Deny(schema) : Demand(schema);
        shapesByLiteral[literal] = shapes;
        depth--;
        return shapes;
    }

    private IReadOnlyList<Shape> Demand(SchemaNode schema)
    {
        // The order of properties is that in which their schemas are named.
        var shapes = Everything;
        var keywords = new SchemaKeywords(document, schema);
        var isOwnPending = true;
        foreach (var (keyword, value) in keywords.Combining)
        {
            if (isOwnPending && keywords.OwnComesBefore(keyword)) AddOwn();
            shapes = Product(schema, shapes, keyword switch
            {
                "$ref" => Expand(document.Resolve(schema, schema.Text(keyword, value)), false),
                "allOf" => All(schema, keyword, value, isDenied: false),
                "anyOf" => AnyOf(schema, keyword, value, isDenied: false),
                "oneOf" => OneOf(schema, value),
                "not" => Expand(document.Child(schema, value, keyword), true),
                "if" => Conditional(schema, value, isDenied: false),
                "dependentRequired" or "dependentSchemas" or "dependencies" => Dependent(schema, keyword, value),
                _ => throw schema.Refusal(keyword, "is not supported"),
            });
        }
        if (isOwnPending) AddOwn();
        return shapes;

        void AddOwn()
        {
            isOwnPending = false;
            shapes = Product(schema, shapes, keywords.Own.Settle() is { } own ? [own] : Nothing);
        }
    }

    private IReadOnlyList<Shape> All(SchemaNode schema, string keyword, JsonElement value, bool isDenied)
    {
        var shapes = Everything;
        foreach (var branch in Branches(schema, keyword, value)) shapes = Product(schema, shapes, Expand(branch, isDenied));
        return shapes;
    }

    private List<Shape> AnyOf(SchemaNode schema, string keyword, JsonElement value, bool isDenied)
    {
        var shapes = new List<Shape>();
        foreach (var branch in Branches(schema, keyword, value)) Add(schema, shapes, Expand(branch, isDenied));
        return shapes;
    }

    // if and then, or not if and else.
    private List<Shape> Conditional(SchemaNode schema, JsonElement value, bool isDenied)
    {
        var condition = document.Child(schema, value, "if");
        var shapes = new List<Shape>();
        foreach (var (keyword, isElse) in new[] { ("then", false), ("else", true) })
        {
            var branch = schema.Element.TryGetProperty(keyword, out var then) ? Expand(document.Child(schema, then, keyword), isDenied)
                : isDenied ? Nothing : Everything;
            Add(schema, shapes, Product(schema, Expand(condition, isElse), branch));
        }
        return shapes;
    }

    // For each name: the property is not there, or what depends on it holds.
    private IReadOnlyList<Shape> Dependent(SchemaNode schema, string keyword, JsonElement value)
    {
        var shapes = Everything;
        foreach (var dependency in schema.Expect(keyword, value, JsonValueKind.Object).EnumerateObject())
        {
            var name = dependency.Name;
            var present = new[] { ObjectWith(name, Goal.Any) };
            var then = dependency.Value.ValueKind == JsonValueKind.Array
                ? Product(schema, present,
                    [Objects(ObjectLimits.Any with { Required = [.. schema.Names(keyword, dependency.Value).Distinct(StringComparer.Ordinal)] })])
                : Product(schema, present, Expand(document.Child(schema, dependency.Value, keyword, name), false));
            shapes = Product(schema, shapes, [Shape.Any with { Objects = Without(name) }, .. then]);
        }
        return shapes;
    }

    private IEnumerable<SchemaNode> Branches(SchemaNode schema, string keyword, JsonElement value)
    {
        if (schema.Expect(keyword, value, JsonValueKind.Array).GetArrayLength() == 0) throw schema.Refusal(keyword, "expected a schema at least");
        var index = 0;
        foreach (var branch in value.EnumerateArray())
            yield return document.Child(schema, branch, keyword, (index++).ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    private IReadOnlyList<Shape> Product(SchemaNode schema, IReadOnlyList<Shape> left, IReadOnlyList<Shape> right)
    {
        if (left.Count == 0 || right.Count == 0) return Nothing;
        if (ReferenceEquals(left, Everything) || ReferenceEquals(left, right)) return right;
        if (ReferenceEquals(right, Everything)) return left;
        var shapes = new List<Shape>();
        if ((merges += left.Count * right.Count) > MaxMerges || (long)left.Count * right.Count > MaxMerges) throw TooMany(schema);
        foreach (var a in left)
        {
            foreach (var b in right)
            {
                if (a.Merge(b) is { } merged) shapes.Add(merged);
            }
        }
        return shapes.Count <= MaxShapes ? shapes : throw TooMany(schema);
    }

    private static void Add(SchemaNode schema, List<Shape> shapes, IReadOnlyList<Shape> more)
    {
        if (shapes.Count + more.Count > MaxShapes) throw TooMany(schema);
        shapes.AddRange(more);
    }

    private static BadInputException TooMany(SchemaNode schema) => new(JsonSchemaReader.Origin, schema.Pointer,
        $"expected combined schemas with at most {MaxShapes} alternatives between them");

    private static Shape Objects(ObjectLimits limits) => new() { Types = JsonTypes.Object, Objects = limits };

    // An object with this property.
    private static Shape ObjectWith(string name, Goal goal) => Objects(new(
        goal.Literals.IsEmpty ? [] : [new(new() { [name] = goal }, [], null, IsListing: false)], [name], 0, null, [], false));

    private ObjectLimits Without(string name) => ObjectLimits.Any with
    {
        Parts = [new(new() { [name] = Goal.Of(document.Never) }, [], null, IsListing: false)],
    };
}
