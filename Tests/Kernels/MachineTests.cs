using Quilt.Kernels.Catalog;
using Quilt.Kernels.Devices;
using Quilt.Tests.Kernels.Gpu;

namespace Quilt.Tests.Kernels;

/// <summary>
/// What this machine has of all that tests can use. Tests of what it lacks are not listed anywhere: each thing that is missing is one skipped test
/// here, with the reason.
/// </summary>
public sealed class MachineTests
{
    public static IEnumerable<TestCaseData> Targets() =>
        Target.Known.Select(target => new TestCaseData(target).SetArgDisplayNames(target.ToString()));

    public static IEnumerable<TestCaseData> Architectures() =>
        GpuKernels.Architectures.Select(PtxFix.Target).Select(name => new TestCaseData(name).SetArgDisplayNames(name));

    [TestCaseSource(nameof(Targets))]
    public void Has_a_target_for_kernels(Target target)
    {
        if (target.WhyNot is { } why) Assert.Ignore($"No test runs on {target}: {why}.");
        Assert.That(Target.All, Has.Member(target));
        Assert.That(() => target.Open(), Throws.Nothing);
    }

    [Test]
    public void Has_a_C_compiler_for_the_stand_in_of_a_CUDA_driver()
    {
        if (StandIn.WhyNot is { } why) Assert.Ignore($"No test of the CUDA driver's stand-in runs: {why}.");
        Assert.That(StandInTests.Drivers, Is.Not.Empty);
    }

    [TestCaseSource(nameof(Architectures))]
    public void Has_an_assembler_for_a_GPU(string architecture)
    {
        if (PtxAssembler.WhyNot is { } why) Assert.Ignore($"No kernel is assembled for {architecture}: {why}.");
        if (!PtxAssemblerTests.Architectures.Select(PtxFix.Target).Contains(architecture))
            Assert.Ignore($"No kernel is assembled for {architecture}: ptxas {PtxAssembler.Version} does not know it.");
        Assert.That(PtxAssemblerTests.Assemblers, Is.Not.Empty);
    }

    [Test]
    public void Has_all_of_the_conformance_data()
    {
        if (!Shared.IsComplete) Assert.Ignore("Only the part of the conformance data that comes with the tests is used: set QUILT_SHARED for all.");
        Assert.That(Directory.Exists(Shared.Root), Is.True);
    }
}
