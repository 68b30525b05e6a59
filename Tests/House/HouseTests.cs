using System.Text.RegularExpressions;
using Quilt.Kernels.Catalog;
using Quilt.Kernels.Devices;

namespace Quilt.Tests.House;

/// <summary>The habits of the house, made to hold.</summary>
public sealed partial class HouseTests
{
    private const int MostLines = 500;
    private const int PageLines = 60;

    // Where else a storage scheme may be looked at: its files are read there, or shown to people. How it is multiplied is decided in WeightLoader alone.
    private static readonly string[] ReadsSchemes =
    [
        "Kernels/Weights/WeightLoader.cs", "Kernels/Weights/FillJob.cs",
        "Formats/Checkpoints/ModuleReader.cs", "Formats/Checkpoints/ModuleValues.cs", "Formats/Checkpoints/QuantScheme.cs",
        "tools/Quilt.Cli/Inspect/Inspection.cs",
    ];

    [TestCase("Formats/Quilt.Formats.csproj")]
    [TestCase("Kernels/Quilt.Kernels.csproj", "Quilt.Formats")]
    [TestCase("Runtime/Engine/Quilt.Runtime.csproj", "Quilt.Kernels")]
    [TestCase("tools/Quilt.Cli/Quilt.Cli.csproj", "Quilt.Runtime")]
    public void A_project_refers_only_to_what_lies_below_it(string project, params string[] below) => Assert.That(House.References(project), Is.EquivalentTo(below));

    [Test]
    public void No_file_is_longer_than_a_reader_can_hold()
    {
        var long_ = House.Sources([.. House.Product, "Tests", "Perf"]).Where(file => House.Read(file).AsSpan().Count('\n') > MostLines);
        Assert.That(long_, Is.Empty);
    }

    [Test]
    public void Every_operation_has_its_definition_its_test_and_its_bench([ValueSource(nameof(Operations))] string op)
    {
        Assert.That(House.Sources("Kernels"), Has.Member($"Kernels/Ops/{op}/{op}.cs").And.Member($"Kernels/Ops/{op}/{op}.Reference.cs"));
        Assert.That(House.Sources("Tests"), Has.Member($"Tests/Kernels/Ops/{op}Tests.cs"));
        Assert.That(House.Sources("Perf"), Has.Member($"Perf/Kernels/{op}Bench.cs"));
    }

    [Test]
    public void Every_folder_of_an_operation_is_in_the_catalog()
    {
        var folders = House.Sources("Kernels").Where(file => file.EndsWith(".Reference.cs", StringComparison.Ordinal) && file.StartsWith("Kernels/Ops/", StringComparison.Ordinal)).Select(file => file.Split('/')[2]);
        Assert.That(folders.Distinct(), Is.EquivalentTo(Operations()));
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
    public void The_table_of_operations_and_targets_is_the_catalog()
    {
        var rows = House.Read("Kernels/README.md").Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line => line.Split('|', StringSplitOptions.TrimEntries)[1..^1]);
        var wanted = OpCatalog.Operations.Select(entry => (string[])[$"`{entry.Name}`", entry.Formula, .. Enum.GetValues<Isa>().Select(isa => OpCatalog.Word(entry.On(isa))), OpCatalog.Word(entry.OnGpu)]);
        Assert.That(rows, Is.EqualTo(wanted));
    }

    [Test]
    public void No_type_is_named_for_what_it_has_no_name_for()
    {
        var assemblies = new[] { typeof(Quilt.Formats.BadInputException), typeof(OpCatalog), typeof(Quilt.Runtime.Engine), typeof(Quilt.Cli.DemoModel) }.Select(type => type.Assembly);
        var vague = assemblies.SelectMany(assembly => assembly.GetTypes()).Where(type => type.Namespace?.StartsWith("Quilt", StringComparison.Ordinal) == true && VagueName().IsMatch(type.Name));
        Assert.That(vague.Select(type => type.FullName), Is.Empty);
    }

    [Test]
    public void A_storage_scheme_is_looked_at_where_it_is_read_and_nowhere_else()
    {
        var elsewhere = House.Sources(House.Product).Where(file => SchemeCase().IsMatch(House.Read(file))).Except(ReadsSchemes);
        Assert.That(elsewhere, Is.Empty);
    }

    [Test]
    public void No_test_passes_by_not_running()
    {
        var quiet = House.Sources("Tests").Where(file => QuietReturn().IsMatch(House.Read(file)) && !file.StartsWith("Tests/House/", StringComparison.Ordinal));
        Assert.That(quiet, Is.Empty);
    }

    [TestCase("Formats")]
    [TestCase("Kernels")]
    [TestCase("Runtime")]
    [TestCase("Tests")]
    [TestCase("Perf")]
    [TestCase("tools")]
    public void Every_top_folder_explains_itself_on_a_page(string folder)
    {
        var lines = House.Read($"{folder}/README.md").Split('\n');
        Assert.That(lines, Has.Length.InRange(10, PageLines));
        Assert.That(lines, Has.Some.StartsWith("## Why it is so"));
    }

    private static IEnumerable<string> Operations() => OpCatalog.Operations.Select(entry => entry.Name);

    [GeneratedRegex(@"(Manager|Helper|Util\w*|Context|Service)$")]
    private static partial Regex VagueName();

    [GeneratedRegex(@"QuantScheme\.(Dense|Fp8|PackedInt)\b")]
    private static partial Regex SchemeCase();

    [GeneratedRegex(@"if \(![\w.]*IsSupported[\w()]*\)\s*(\{\s*)?return")]
    private static partial Regex QuietReturn();
}
