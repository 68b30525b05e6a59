using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Quantizer.Plan;
using Quilt.Quantizer.Recipes;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Awq;

/// <summary>What a recipe's mappings mean in the layers of a model. Those that are not understood are refused by name.</summary>
internal static class Mappings
{
    /// <summary>One entry a layer; null for a layer that no mapping speaks of.</summary>
    /// <exception cref="BadInputException">A mapping matches nothing, or pairs what cannot be paired here.</exception>
    public static LayerMappings?[] Of(Recipe recipe, DecoderSpec spec)
    {
        var found = new LayerMappings?[spec.Layers];
        foreach (var mapping in recipe.Smoothing!.Mappings)
        {
            var matched = false;
            for (var layer = 0; layer < spec.Layers; layer++)
            {
                var modules = new DecoderModules(spec).Layer(layer);
                if (Add(recipe, mapping, modules, found[layer] ?? new(false, false, false, false)) is not { } added) continue;
                (found[layer], matched) = (added, true);
            }
            if (!matched) throw Bad(recipe, mapping, $"expected a smooth_layer that matches a module of the model, found {mapping.SmoothLayer}");
        }
        return found;
    }

    private static LayerMappings? Add(Recipe recipe, SmoothMapping mapping, LayerModules layer, LayerMappings to)
    {
        var matches = Matcher(recipe.Origin, mapping.SmoothLayer);
        var norm = layer.FeedForwardNorm.Name[..^".weight".Length];
        string[] smooth = [.. Names(layer).Append(norm).Append(layer.AttentionNorm.Name[..^".weight".Length]).Where(name => matches(name))];
        if (smooth.Length == 0) return null;
        if (layer.Experts is not { } experts)
            throw Bad(recipe, mapping, $"expected layers with routed experts, which are what is smoothed here, found {smooth[0]}");
        var balance = mapping.BalanceLayers.Select(text => Matcher(recipe.Origin, text)).ToArray();
        string[] Balanced(params string[] of) => [.. of.Where(name => Array.Exists(balance, matches => matches(name)))];
        var (gate, up, down, router) = (experts.Gate(0).Name, experts.Up(0).Name, experts.Down(0).Name, experts.Router.Name);
        var others = Names(layer).Where(name => Array.Exists(balance, matches => matches(name))).Except([gate, up, down, router]).ToArray();

        if (smooth is [var one] && one == norm && others.Length == 0 && Balanced(gate, up, down) is [_, _] pair && !pair.Contains(down))
        {
            var first = Array.FindIndex(balance, matches => matches(gate) || matches(up));
            var of = Array.FindIndex(balance, matches => matches(router));
            return to with { Norm = true, Router = of >= 0, RouterFirst = of >= 0 && of < first };
        }
        if (smooth is [var single] && single == up && others.Length == 0 && Balanced(gate, up, down, router) is [var only] && only == down)
            return to with { Up = true };
        var found = string.Join(", ", Balanced([gate, up, down, router]).Concat(others).DefaultIfEmpty("nothing"));
        throw Bad(recipe, mapping, $"expected {norm} to balance gate and up of the experts (and perhaps the router), or {up} to balance {down}, " +
            $"found {string.Join(", ", smooth)} to balance {found}");
    }

    // An expert stands for all.
    private static IEnumerable<string> Names(LayerModules layer) =>
    [
        .. layer.Attention.Select(module => module.Name), .. layer.Dense?.All.Select(module => module.Name) ?? [],
        .. layer.Experts is { } experts
            ? new[] { experts.Router, experts.Gate(0), experts.Up(0), experts.Down(0) }.Select(module => module.Name)
            : [],
    ];

    private static Predicate<string> Matcher(string origin, string target)
    {
        var matches = ModuleTargets.Matcher(origin, "mappings", target);
        return name => matches([.. TensorNames.Spellings(name)]);
    }

    private static BadInputException Bad(Recipe recipe, SmoothMapping mapping, string problem) =>
        new(recipe.Origin, $"mappings: {mapping.SmoothLayer}", problem);
}
