using ILGPU.Runtime.Cuda;
using Quilt.Kernels.Catalog;
using Quilt.Kernels.Devices;
using Quilt.Tests.House;

namespace Quilt.Tests.Kernels.Gpu;

/// <summary>The PTX of every kernel for every architecture, as a driver would be given it; made without a GPU.</summary>
[Parallelizable(ParallelScope.Self)]
public sealed class PtxTests
{
    private static IEnumerable<TestCaseData> Kernels() =>
        from kernel in GpuKernels.All
        from architecture in GpuKernels.Architectures
        select new TestCaseData(kernel.Name, architecture).SetArgDisplayNames(kernel.Name, PtxFix.Target(architecture));

    [TestCaseSource(nameof(Kernels))]
    public void A_driver_can_take_it(string name, CudaArchitecture architecture)
    {
        var kernel = Find(name);
        var ptx = GpuKernels.Ptx(kernel, architecture);
        Assert.That(PtxRules.Faults(ptx, PtxFix.Target(architecture), kernel.Needs.HasFlag(KernelNeeds.Hot)), Is.Empty);
        Assert.That(ptx, Does.Contain(".entry"));
    }

    [Test]
    public void Faults_are_found()
    {
        const string Bad = ".target sm_80\n  @%p1 bra.uni L;\n  brx.idx %r1, T;\n  ld.f32 %f1, [%rd1];\n  .extern .func f\n  ld.local.f32 %f1, [%rd1];\n  add.f64 %fd1, %fd1, %fd1;\n";
        Assert.That(PtxRules.Faults(Bad, "sm_90", hot: true).Count(), Is.EqualTo(8));
        Assert.That(PtxRules.Faults(PtxFix.Apply(Bad, "sm_90"), "sm_90", hot: false).Count(), Is.EqualTo(3), "repaired: target and branch");
    }

    [TestCase("TensorDecode.DecodeKernel<Int4Gpu,BFloat16Scales,Four>", 4)]
    [TestCase("TensorDecode.DecodeKernel<Fp8Gpu,WideFloat32Scales,Four>", 4)]
    [TestCase("TensorDecode.DecodeKernel<BFloat16Gpu,NoScales,Sixteen>", 16)]
    [TestCase("TensorPrefill.PrefillKernel<Fp8Gpu,WideFloat32Scales,TwoPlanes>", 128)]
    [TestCase("TensorPrefill.PrefillKernel<Int4Gpu,BFloat16Scales,OnePlane>", 64)]
    public void Products_are_made_by_matrix_instructions(string name, int count)
    {
        var ptx = GpuKernels.Ptx(Find(name), CudaArchitecture.SM_90);
        Assert.That(ptx.Split("mma.sync").Length - 1, Is.EqualTo(count));
        if (!name.Contains("BFloat16Gpu", StringComparison.Ordinal)) Assert.That(ptx, Does.Contain("fma.rn.bf16x2"), "codes become floats two at a time");
        if (name.StartsWith("TensorPrefill", StringComparison.Ordinal)) Assert.That(ptx, Does.Contain("cp.async.cg.shared.global").And.Contain("cp.async.wait_group 1"));
    }

    private static GpuKernel Find(string name) => GpuKernels.All.Single(kernel => kernel.Name == name);
}
