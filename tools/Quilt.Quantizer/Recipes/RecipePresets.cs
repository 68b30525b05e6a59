using System.Text.Json.Nodes;

namespace Quilt.Quantizer.Recipes;

internal static class RecipePresets
{
    public static JsonObject? Activations(WeightScheme scheme) => null;
}
