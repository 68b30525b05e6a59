using System.Text;
using Quilt.Formats;
using Quilt.Quantizer.Yaml;

namespace Quilt.Quantizer.Recipes;

/// <summary>
/// Recipes in llm-compressor's YAML: stages with modifiers, of which AWQModifier and QuantizationModifier are understood. In versions 0.9 and 0.10 an
/// AWQModifier says how modules are stored too; in later ones a QuantizationModifier beside it does. What is not honoured is refused by its key.
/// </summary>
internal static class RecipeReader
{
    private const string Awq = "AWQModifier";
    private const string Plain = "QuantizationModifier";
    private const int MaxBytes = 4 << 20;

    /// <summary>Reads a file.</summary>
    /// <exception cref="BadInputException">It is no recipe, or asks for what is not done here; the message names the key and its line.</exception>
    public static Recipe Read(string path) => Parse(Encoding.UTF8.GetString(JsonText.ReadBytes(path, MaxBytes)), path);

    /// <summary>Reads a text; <paramref name="origin"/> is for messages.</summary>
    /// <exception cref="BadInputException">It is no recipe, or asks for what is not done here; the message names the key and its line.</exception>
    public static Recipe Parse(string yaml, string origin)
    {
        var root = YamlNode.Parse(yaml, origin);
        var (groups, ignore) = ((IReadOnlyList<SchemeGroup>)[], (IReadOnlyList<string>)[]);
        Smoothing? smoothing = null;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, node) in Modifiers(root))
        {
            if (name is not (Awq or Plain)) throw node.Bad($"{Awq} or {Plain}, the modifiers done here");
            if (!seen.Add(name)) throw node.Bad($"one {name}", "a second one");
            if (smoothing is null && name == Awq && groups.Count > 0) throw node.Bad($"{Awq} before {Plain}", "it behind");
            var keys = new YamlKeys(node);
            if (name == Awq) smoothing = SmoothingReader.Read(keys);
            var own = SchemeReader.Groups(keys);
            if (own.Count > 0 && groups.Count > 0) throw node.Bad($"a scheme in one of {Awq} and {Plain}", "one in both");
            if (name == Plain && own.Count == 0) throw node.Bad("config_groups or scheme in it", "neither");
            if (own.Count > 0) groups = own;
            ignore = [.. ignore, .. keys.Texts("ignore").Except(ignore)];
            keys.Nothing("kv_cache_scheme", "index", "group", "update");
            keys.False("bypass_divisibility_checks");
            keys.Any("requires_calibration_data", "start", "end");
            keys.End();
        }
        if (groups.Count == 0) throw root.Bad($"a modifier with config_groups or scheme, {Awq} or {Plain}", "none");
        return new Recipe(groups, ignore, smoothing) { Origin = origin, Text = yaml };
    }

    // name_stage: { name_modifiers: { Name: … } or [{ Name: … }, …] }, or the modifiers without a stage.
    private static IEnumerable<(string Name, YamlNode Node)> Modifiers(YamlNode root)
    {
        foreach (var (key, node) in root.Entries())
        {
            if (IsModifiers(key)) foreach (var modifier in List(node)) yield return modifier;
            else if (key.EndsWith("_stage", StringComparison.Ordinal))
            {
                foreach (var (inner, held) in node.Entries())
                {
                    if (inner == "run_type" && (held.IsNull || held.Written() == "oneshot")) continue;
                    if (!IsModifiers(inner)) throw held.Bad("modifiers, under a key such as default_modifiers");
                    foreach (var modifier in List(held)) yield return modifier;
                }
            }
            else if (key is not ("metadata" or "version")) throw node.Bad("a stage, under a key such as default_stage");
        }
    }

    private static bool IsModifiers(string key) => key == "modifiers" || key.EndsWith("_modifiers", StringComparison.Ordinal);

    private static IEnumerable<(string Name, YamlNode Node)> List(YamlNode node) => node.Kind == YamlKind.List
        ? node.Items().SelectMany(item => item.Entries()).Select(entry => (entry.Key, entry.Value))
        : node.Entries().Select(entry => (entry.Key, entry.Value));
}
