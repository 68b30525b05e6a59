using System.Globalization;
using System.Text.RegularExpressions;
using Quilt.Formats.Checkpoints;

namespace Quilt.Quantizer.Output;

/// <summary>
/// The targets and the ignored modules of a quantization config. Modules that differ in the numbers of layer and expert only are said in one
/// expression if they are stored alike; if layers differ, with the numbers of layers, if experts of a layer do, with theirs too. Every module is in
/// exactly one place, so that the order in which a loader looks does not matter.
/// </summary>
internal sealed class ConfigTargets
{
    /// <summary>The class of all modules; the loader that looks its fused experts up by class finds them by it.</summary>
    public const string AnyLinear = "Linear";

    // What routed experts and their router go by, wherever they are; see TensorNames.
    private const string Block = "(block_sparse_moe|mlp)";
    private const string ExpertsOf = Block + @"\.experts\.";
    private const string Experts = ExpertsOf + @"\d+";
    private static readonly Dictionary<string, string> ExpertNames = new(StringComparer.Ordinal)
    { ["w1"] = "gate_proj", ["w2"] = "down_proj", ["w3"] = "up_proj" };

    private static readonly Regex Numbered = new(@"^(?:.*\.)?layers\.(\d+)\.(.+)\.([^.]+)$", RegexOptions.CultureInvariant);
    private static readonly Regex ExpertPath = new(@"^(?:block_sparse_moe|mlp)\.experts\.(\d+)$", RegexOptions.CultureInvariant);

    // What loaders that join matrices call the whole.
    private static readonly (string Whole, string[] Parts)[] Joined =
    [
        ("qkv_proj", ["q_proj", "k_proj", "v_proj"]),
        ("gate_up_proj", ["gate_proj", "up_proj"]),
    ];

    private readonly List<string>[] targets;
    private readonly List<string> ignored = [];

    /// <summary>Finds expressions.</summary>
    /// <param name="modules">Every linear module by path, with its group; −1: none.</param>
    /// <param name="groups">Number of groups.</param>
    public ConfigTargets(IReadOnlyList<(string Path, int Group)> modules, int groups)
    {
        targets = [.. Enumerable.Range(0, groups).Select(_ => new List<string>())];
        var said = new List<(int Group, string Parent, string Layers, string Leaf)>();
        foreach (var kind in modules.Select(module => new Place(module.Path, module.Group)).GroupBy(place => (place.Parent, place.Leaf)))
        {
            if (kind.Key.Parent.Length == 0) foreach (var place in kind) Of(place.Group).Add(place.Path);
            else if (kind.Select(place => place.Group).Distinct().Count() == 1) said.Add((kind.First().Group, kind.Key.Parent, "", kind.Key.Leaf));
            else said.AddRange(kind.GroupBy(place => place.Layer).All(layer => layer.Select(place => place.Group).Distinct().Count() == 1)
                ? ByLayer(kind, kind.Key.Parent)
                : kind.GroupBy(place => (place.Layer, place.Group)).GroupBy(alike => Numbers(alike.Select(place => place.Expert)))
                    .SelectMany(alike => ByLayer(alike.SelectMany(places => places), ExpertsOf + alike.Key)));
        }
        foreach (var alike in said.GroupBy(one => (one.Group, one.Parent, one.Layers)))
        {
            var leaves = Leaves(alike.Key.Group, alike.Key.Parent, alike.Select(one => one.Leaf));
            Of(alike.Key.Group).Add($"re:.*{alike.Key.Layers}{alike.Key.Parent}\\.{leaves}$");
        }

        // With every expert in one group, and all that is in none ignored, the class says the same as the expressions.
        int[] ofExperts = [.. said.Where(one => one.Parent.StartsWith(ExpertsOf, StringComparison.Ordinal)).Select(one => one.Group).Distinct()];
        if (ofExperts is [>= 0 and var only]) targets[only].Insert(0, AnyLinear);
    }

    /// <summary>Targets of each group.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Targets => targets;

    /// <summary>Modules that are left alone.</summary>
    public IReadOnlyList<string> Ignored => ignored;

    private List<string> Of(int group) => group < 0 ? ignored : targets[group];

    private static IEnumerable<(int Group, string Parent, string Layers, string Leaf)> ByLayer(IEnumerable<Place> places, string parent) =>
        places.GroupBy(place => (place.Group, place.Leaf)).Select(alike =>
            (alike.Key.Group, parent, $"\\.layers\\.{Numbers(alike.Select(place => place.Layer))}\\.", alike.Key.Leaf));

    private static string Numbers(IEnumerable<int> numbers) =>
        $"({string.Join('|', numbers.Distinct().Order().Select(number => number.ToString(CultureInfo.InvariantCulture)))})";

    private static string Leaves(int group, string parent, IEnumerable<string> leaves)
    {
        var names = leaves.ToList();
        if (parent.StartsWith(ExpertsOf, StringComparison.Ordinal)) names.AddRange(names.ConvertAll(name => ExpertNames[name]));
        else if (group >= 0) names.AddRange(Joined.Where(joined => joined.Parts.All(names.Contains)).Select(joined => joined.Whole).ToList());
        return names.Count == 1 ? Regex.Escape(names[0]) : $"({string.Join('|', names.Select(Regex.Escape))})";
    }

    /// <summary>A module by what its path says: where it stands, as an expression without numbers, and what it is there.</summary>
    private sealed record Place
    {
        public Place(string path, int group)
        {
            (Path, Group, Parent, Leaf, Layer) = (path, group, "", path, -1);
            if (Numbered.Match(path) is not { Success: true } match) return;
            Layer = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
            var (parent, leaf) = (match.Groups[2].Value, match.Groups[3].Value);
            var expert = ExpertPath.Match(parent);
            if (expert.Success) Expert = int.Parse(expert.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
            (Parent, Leaf) = expert.Success ? (Experts, ExpertNames.FirstOrDefault(pair => pair.Value == leaf).Key ?? leaf)
                : leaf == "gate" && parent is ("block_sparse_moe" or "mlp") ? (Block, leaf)
                : (Regex.Escape(parent), leaf);
        }

        public string Path { get; }

        public int Group { get; }

        public string Parent { get; }

        public string Leaf { get; }

        public int Layer { get; }

        public int Expert { get; }
    }
}
