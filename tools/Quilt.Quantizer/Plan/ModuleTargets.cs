using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Quantizer.Recipes;

namespace Quilt.Quantizer.Plan;

/// <summary>Which group of a recipe a module belongs to, by the rules of the library whose recipes these are (<see cref="QuantTargets"/>).</summary>
internal sealed class ModuleTargets
{
    private readonly Recipe recipe;
    private readonly QuantTargets targets;
    private readonly Dictionary<string, SchemeGroup> groups = new(StringComparer.Ordinal);
    private readonly IReadOnlyList<string> smoothed;

    public ModuleTargets(Recipe recipe)
    {
        this.recipe = recipe;
        var all = new Dictionary<string, QuantArgs?>(StringComparer.Ordinal);
        foreach (var group in recipe.Groups)
        {
            groups.Add(group.Name, group);
            foreach (var target in group.Targets) all[target] = Marker(group.Name);
        }
        targets = new QuantTargets(recipe.Origin, recipe.Ignore, all, "targets");
        smoothed = [.. (recipe.Smoothing?.Mappings ?? []).SelectMany(mapping => mapping.BalanceLayers.Append(mapping.SmoothLayer))];
    }

    /// <summary>The group of a module; null: it is left alone.</summary>
    public SchemeGroup? Find(string module) => targets.Find([.. TensorNames.Spellings(module)]) is { } found ? groups[found.Group] : null;

    /// <summary>Refuses targets that match no module.</summary>
    /// <exception cref="BadInputException">One does not.</exception>
    public void CheckEach(IReadOnlyList<string> modules)
    {
        string[][] spellings = [.. modules.Select(module => TensorNames.Spellings(module).ToArray())];
        foreach (var group in recipe.Groups)
        {
            foreach (var target in group.Targets)
            {
                if (Array.Exists(spellings, Matcher(target))) continue;
                throw new BadInputException(recipe.Origin, group.Name,
                    $"expected targets that match modules of the model, such as {modules[modules.Count / 2]}, found {target}, which matches none");
            }
        }
    }

    /// <summary>Modules whose weights are changed by smoothing.</summary>
    public IReadOnlySet<string> Smoothed(IReadOnlyList<string> modules)
    {
        var matchers = smoothed.Select(Matcher).ToList();
        return modules.Where(module => TensorNames.Spellings(module).ToArray() is var names && matchers.Exists(matches => matches(names)))
            .ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>Whether a target matches a module that goes by some names.</summary>
    /// <param name="origin">The recipe, for messages.</param>
    /// <param name="part">Where in it the target stands, for messages.</param>
    /// <param name="target">The target.</param>
    /// <exception cref="BadInputException">It is no regular expression, though it says so.</exception>
    public static Predicate<string[]> Matcher(string origin, string part, string target)
    {
        var alone = new QuantTargets(origin, [], new Dictionary<string, QuantArgs?> { [target] = Marker(target) }, part);
        return names => alone.Find(names) is not null;
    }

    private Predicate<string[]> Matcher(string target) => Matcher(recipe.Origin, "targets", target);

    // Only the name counts here: the scheme is the group's.
    private static QuantArgs Marker(string group) => new(group, 8, false, true, "tensor", null, null);
}
