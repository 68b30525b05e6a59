using Quilt.Kernels.Catalog;
using Quilt.Kernels.Devices;

namespace Quilt.Tests.Kernels.Catalog;

/// <summary>The catalog, the folders and the README say the same.</summary>
public sealed class OpCatalogTests
{
    private static IEnumerable<string> Operations => OpCatalog.Operations.Select(op => op.Name);

    [Test]
    public void Every_folder_of_an_operation_is_in_the_catalog()
    {
        // These two hold what operations are written with, not an operation.
        var folders = Directory.GetDirectories(Repository("Kernels", "Ops")).Select(Path.GetFileName)
            .Where(name => name is not ("Vectors" or "Elementwise")).Order(StringComparer.Ordinal);
        Assert.That(OpCatalog.Operations.Select(op => op.Name), Is.EqualTo(folders));
    }

    [TestCaseSource(nameof(Operations))]
    public void An_operation_has_a_definition_a_test_and_a_bench(string name)
    {
        var op = OpCatalog.Operations.Single(op => op.Name == name);
        var code = Repository("Kernels", "Ops", op.Name, $"{op.Name}.cs");
        var source = File.ReadAllText(code);
        var elementwise = source.Contains(": IElementwise", StringComparison.Ordinal);
        if (elementwise) source = File.ReadAllText(Repository("Kernels", "Ops", "Elementwise", "Elementwise.cs"));
        Assert.That(source.Contains("Isa.Avx512", StringComparison.Ordinal), Is.EqualTo(op.Cpu == KernelPath.Vectors), "vector code");
        Assert.That(source.Contains("Isa.AvxVnni", StringComparison.Ordinal), Is.EqualTo(op.Cpu == KernelPath.Vectors), "and with VNNI");
        Assert.That(source.Contains("ops.Gpu is not null", StringComparison.Ordinal), Is.EqualTo(op.OnGpu == KernelPath.Kernel), "a GPU's kernel");
        if (!elementwise) Repository("Kernels", "Ops", op.Name, $"{op.Name}.Reference.cs");
        Repository("Tests", "Kernels", "Ops", $"{op.Name}Tests.cs");
        Repository("Perf", "Kernels", $"{op.Name}Bench.cs");
    }

    [Test]
    public void The_table_in_the_README_equals_the_catalog()
    {
        var expected = OpCatalog.Operations.Select(op =>
            $"| {op.Name} | {string.Join(" | ", Enum.GetValues<Isa>().Select(isa => OpCatalog.Word(op.On(isa))))} | {OpCatalog.Word(op.OnGpu)} |");
        var table = File.ReadAllLines(Repository("Kernels", "README.md"))
            .SkipWhile(line => !line.StartsWith("| operation |", StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.StartsWith('|'));
        Assert.That(table, Is.EqualTo(expected));
    }

    /// <summary>A path in the repository; fails where it is missing, skips where the tests run without their sources.</summary>
    private static string Repository(params string[] parts)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Runtime.sln"))) root = root.Parent;
        if (root is null) Assert.Ignore("The tests run outside their repository.");
        var path = Path.Combine([root!.FullName, .. parts]);
        Assert.That(Path.Exists(path), $"{string.Join('/', parts)} is missing");
        return path;
    }
}
