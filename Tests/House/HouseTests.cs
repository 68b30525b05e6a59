using System.Text.RegularExpressions;
using Quilt.Kernels.Catalog;

namespace Quilt.Tests.House;

/// <summary>The habits of the house, made to hold.</summary>
public sealed partial class HouseTests
{
    private const int MostLines = 500;
    private const int MostColumns = 150;
    private const int PageLines = 60;

    [TestCase("Formats/Quilt.Formats.csproj")]
    [TestCase("Kernels/Quilt.Kernels.csproj", "Quilt.Formats")]
    [TestCase("Runtime/Engine/Quilt.Runtime.csproj", "Quilt.Kernels")]
    [TestCase("Runtime/Hosting/Quilt.Hosting.csproj", "Quilt.Runtime")]
    [TestCase("tools/Quilt.Quantizer/Quilt.Quantizer.csproj", "Quilt.Runtime")]
    [TestCase("Runtime/Cluster/Quilt.Cluster.csproj", "Quilt.Hosting")]
    [TestCase("tools/Quilt.Cli/Quilt.Cli.csproj", "Quilt.Cluster", "Quilt.Hosting", "Quilt.Quantizer")]
    public void A_project_refers_only_to_what_lies_below_it(string project, params string[] below) =>
        Assert.That(House.References(project), Is.EquivalentTo(below));

    [Test]
    public void No_file_is_longer_than_a_reader_can_hold()
    {
        var long_ = House.Sources([.. House.Product, "Tests", "Perf"]).Where(file => House.Read(file).AsSpan().Count('\n') > MostLines);
        Assert.That(long_, Is.Empty);
    }

    [Test]
    public void No_line_is_wider_than_a_screen()
    {
        var wide = House.Sources([.. House.Product, "Tests", "Perf"]).SelectMany(file =>
            House.Read(file).Split('\n').Index().Where(line => line.Item.Length > MostColumns).Select(line => $"{file}:{line.Index + 1}"));
        Assert.That(wide, Is.Empty);
    }

    [TestCase("Dense", "DenseMatMulBench")]
    [TestCase("Fp8Block", "Fp8BlockMatMulBench")]
    [TestCase("IntGroup", "IntGroupMatMulBench")]
    public void Every_kind_of_weight_has_its_bench(string folder, string bench)
    {
        Assert.That(House.Sources("Kernels").Where(file => file.StartsWith($"Kernels/Weights/{folder}/", StringComparison.Ordinal)), Is.Not.Empty);
        Assert.That(House.Sources("Perf"), Has.Member($"Perf/Kernels/{bench}.cs"));
    }

    [Test]
    public void No_type_is_named_for_what_it_has_no_name_for()
    {
        var assemblies = new[] { typeof(Quilt.Formats.BadInputException), typeof(OpCatalog), typeof(Quilt.Runtime.Engine),
            typeof(Quilt.Hosting.QuiltOptions), typeof(Quilt.Cluster.ClusterOptions),
            typeof(Quilt.Quantizer.Recipes.Recipe), typeof(Quilt.Cli.DemoModel) }.Select(type => type.Assembly);
        var vague = assemblies.SelectMany(assembly => assembly.GetTypes())
            .Where(type => type.Namespace?.StartsWith("Quilt", StringComparison.Ordinal) == true && VagueName().IsMatch(type.Name));
        Assert.That(vague.Select(type => type.FullName), Is.Empty);
    }

    // A way of storing is a class of its own, and only the list names it.
    [Test]
    public void A_storage_scheme_is_known_to_its_own_file_and_to_the_list_alone()
    {
        var kinds = House.Sources("Formats").Where(file => file.StartsWith("Formats/Checkpoints/Storage/", StringComparison.Ordinal))
            .Select(file => Path.GetFileNameWithoutExtension(file)).Where(name => name.EndsWith("Module", StringComparison.Ordinal))
            .Except(["StoredModule"]).ToArray();
        Assert.That(kinds, Is.Not.Empty);
        foreach (var kind in kinds)
        {
            var knows = House.Sources(House.Product).Where(file => Regex.IsMatch(House.Read(file), $@"\b{kind}\b"));
            Assert.That(knows, Is.SubsetOf([$"Formats/Checkpoints/Storage/{kind}.cs", "Formats/Checkpoints/Storage/StorageReaders.cs"]), kind);
        }
    }

    [Test]
    public void No_test_passes_by_not_running()
    {
        var quiet = House.Sources("Tests")
            .Where(file => QuietReturn().IsMatch(House.Read(file)) && !file.StartsWith("Tests/House/", StringComparison.Ordinal));
        Assert.That(quiet, Is.Empty);
    }

    [TestCase("Formats")]
    [TestCase("Kernels")]
    [TestCase("Runtime")]
    [TestCase("Tests")]
    [TestCase("Perf")]
    [TestCase("tools")]
    [TestCase("samples")]
    public void Every_top_folder_explains_itself_on_a_page(string folder)
    {
        var lines = House.Read($"{folder}/README.md").Split('\n');
        Assert.That(lines, Has.Length.InRange(10, PageLines));
        Assert.That(lines, Has.Some.StartsWith("## Why it is so"));
    }

    [Test]
    public void What_a_comment_cites_is_here()
    {
        var cited = House.Sources([.. House.Product, "Tests", "Perf"]).SelectMany(file => Citation().Matches(House.Read(file)).Select(match =>
            (File: file, Page: Found(file, match.Groups[1].Value), Cited: match.Groups[1].Value, Heading: match.Groups[2].Value))).ToArray();
        Assert.That(cited, Has.Length.GreaterThan(10));
        Assert.That(cited.Where(at => at.Page is null).Select(at => $"{at.File} cites {at.Cited}"), Is.Empty);
        Assert.That(cited.Where(at => at.Heading.Length > 0 && !House.Read(at.Page!).Split('\n').Contains($"## {at.Heading}"))
            .Select(at => $"{at.File} cites '{at.Heading}' of {at.Cited}"), Is.Empty);

        // From the root, or from where the comment stands.
        static string? Found(string file, string page) =>
            new[] { page, $"{Path.GetDirectoryName(file)}/{page}" }.FirstOrDefault(path => File.Exists(Path.Combine(House.Root, path)));
    }

    [Test]
    public void A_pinned_package_has_a_user()
    {
        var projects = string.Concat(House.Projects().Select(House.Read));
        var pins = Pin().Matches(House.Read("Directory.Packages.props").Split("Label=\"transitive")[0]).Select(match => match.Groups[1].Value)
            .ToArray();
        Assert.That(pins, Has.Length.GreaterThan(5));
        Assert.That(pins.Where(pin => !projects.Contains($"PackageReference Include=\"{pin}\"", StringComparison.Ordinal)), Is.Empty);
    }

    [GeneratedRegex(@"//[^\n]*?([\w./-]+\.md)\b(?:, ""([^""\n]+)"")?")]
    private static partial Regex Citation();

    [GeneratedRegex(@"PackageVersion Include=""([^""]+)""")]
    private static partial Regex Pin();

    [GeneratedRegex(@"(Manager|Helper|Util\w*|Context|Service)$")]
    private static partial Regex VagueName();

    [GeneratedRegex(@"if \(![\w.]*IsSupported[\w()]*\)\s*(\{\s*)?return")]
    private static partial Regex QuietReturn();
}
