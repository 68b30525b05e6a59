using ILGPU.Runtime.Cuda;
using Quilt.Kernels.Catalog;
using Quilt.Kernels.Devices;

namespace Quilt.Tests.Kernels.Gpu;

/// <summary>What NVIDIA's own assembler makes of every kernel, where a CUDA toolkit has one; no GPU is needed.</summary>
[Parallelizable(ParallelScope.Self)]
[TestFixtureSource(nameof(Assemblers))]
public sealed class PtxAssemblerTests(string version)
{
    /// <summary>The assembler's version, where there is one.</summary>
    public static IEnumerable<string> Assemblers => PtxAssembler.WhyNot is null ? [PtxAssembler.Version] : [];

    /// <summary>What it knows of the architectures that kernels are made for.</summary>
    public static IEnumerable<CudaArchitecture> Architectures => GpuKernels.Architectures.Where(PtxAssembler.Knows);

    // Kernels that decide the speed, for every architecture; the others for the one that the roofline is computed for.
    private static IEnumerable<TestCaseData> Kernels() =>
        from kernel in GpuKernels.All
        from architecture in Architectures
        where GpuKernels.Suits(kernel, architecture)
        where kernel.Needs.HasFlag(KernelNeeds.Hot) || architecture == CudaArchitecture.SM_90
        select new TestCaseData(kernel.Name, architecture).SetArgDisplayNames(kernel.Name, PtxFix.Target(architecture));

    [TestCaseSource(nameof(Kernels))]
    public void An_assembler_takes_it(string name, CudaArchitecture architecture)
    {
        var kernel = GpuKernels.All.Single(kernel => kernel.Name == name);
        var made = PtxAssembler.Assemble(GpuKernels.Ptx(kernel, architecture), architecture);

        // A few registers that are needed once a tile may wait in memory, where nearly all 255 are in use; inside a loop over a weight that would
        // count.
        Assert.That(made.Spilled, Is.LessThanOrEqualTo(made.Registers >= 250 ? 64 : 0), "spilled bytes");
        Assert.That(made.Local, Is.LessThanOrEqualTo(made.Registers >= 250 ? made.Loop / 25 : 0), "local memory in the loop");
        if (kernel.Needs.HasFlag(KernelNeeds.Hot)) Assert.That(made.MatrixInstructions, Is.Positive, "a loop with mma instructions");
    }

    [Test]
    public void What_it_refuses_is_said_in_its_words() =>
        Assert.That(
            () => PtxAssembler.Assemble(".version 7.4\n.target sm_80\n.address_size 64\n.visible .entry f() { nonsense; }\n", CudaArchitecture.SM_80),
            Throws.InvalidOperationException.With.Message.Contains("ptxas").And.Message.Contains("line 4"));

    [Test]
    public void The_roofline_page_has_the_facts_of_today()
    {
        var page = House.House.Read("Perf/Roofline.md");
        if (!page.Contains($"ptxas {version}", StringComparison.Ordinal))
            Assert.Ignore($"The page was made with another assembler than ptxas {version}.");
        foreach (var kernel in GpuKernels.All.Where(kernel => kernel.Needs.HasFlag(KernelNeeds.Hot)))
        {
            var architecture = GpuKernels.Suits(kernel, CudaArchitecture.SM_90) ? CudaArchitecture.SM_90 : CudaArchitecture.SM_89;
            var made = PtxAssembler.Assemble(GpuKernels.Ptx(kernel, architecture), architecture);
            var row = page.Split('\n').SingleOrDefault(line => line.StartsWith($"| {kernel.Name} |", StringComparison.Ordinal));
            Assert.That(row, Is.Not.Null, kernel.Name);
            var facts = row!.Split('|', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[1..].Select(int.Parse).ToArray();
            Assert.That(facts[^2..], Is.EqualTo(new[] { made.Loads, made.MatrixInstructions }), $"{kernel.Name}: loads and mma instructions");

            // ILGPU does not number registers the same way every time, and an assembler that is given another order of them schedules otherwise.
            Assert.That(facts[3], Is.EqualTo(made.Loop).Within(5).Percent, $"{kernel.Name}: instructions of the loop");
            Assert.That(facts[0], Is.EqualTo(made.Registers).Within(10).Percent, $"{kernel.Name}: registers");
        }
    }
}
