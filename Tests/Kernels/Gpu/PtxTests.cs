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
        where GpuKernels.Suits(kernel, architecture)
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
        const string Bad =
            ".target sm_80\n  @%p1 bra.uni L;\n  brx.idx %r1, T;\n  ld.f32 %f1, [%rd1];\n  .extern .func f\n  ld.local.f32 %f1, [%rd1];\n  " +
            "add.f64 %fd1, %fd1, %fd1;\n";
        Assert.That(PtxRules.Faults(Bad, "sm_90", hot: true).Count(), Is.EqualTo(8));
        Assert.That(PtxRules.Faults(PtxFix.Apply(Bad, "sm_90"), "sm_90", hot: false).Count(), Is.EqualTo(3), "repaired: target and branch");
    }

    [TestCase("ld.global.nc.L1::no_allocate.v4.b32", 0)]
    [TestCase("ld.global.nc.v4.b32", 0)]
    [TestCase("ld.global.v4.b32", 1)]
    [TestCase("ld.global.nc.b32", 1)]
    public void A_hot_kernel_loads_sixteen_bytes_through_the_read_only_path_whether_or_not_they_stay(string load, int faults) =>
        Assert.That(PtxRules.Faults($".target sm_90\n  {load} x, [%rd1];\n", "sm_90", hot: true).Count(), Is.EqualTo(faults));

    [TestCase("Dims64,OnePlane", 16, 8)]
    [TestCase("Dims64,TwoPlanes", 32, 8)]
    [TestCase("Dims128,OnePlane", 32, 16)]
    [TestCase("Dims128,TwoPlanes", 64, 16)]
    public void Attention_takes_sixteen_keys_a_round(string kind, int matrixInstructions, int loads)
    {
        var ptx = GpuKernels.Ptx(Find($"TensorAttention.AttendKernel<{kind},AlignedBlocks>"), CudaArchitecture.SM_90);
        Assert.That(ptx.Split("mma.sync").Length - 1, Is.EqualTo(matrixInstructions));
        Assert.That(ptx.Split("ld.global.nc.v4.b32").Length - 1, Is.EqualTo(loads + (loads / 2)),
            "through the first cache; those of the first keys come before the loop");
        Assert.That(ptx, Does.Contain("ex2.approx.ftz.f32").And.Contain("prmt.b32"));
    }

    [TestCase("TensorDecode.DecodeKernel<Int4Gpu,BFloat16Scales,Four>", 4)]
    [TestCase("TensorDecode.DecodeKernel<Fp8Gpu,WideFloat32Scales,Four>", 4)]
    [TestCase("TensorDecode.DecodeKernel<BFloat16Gpu,NoScales,Sixteen>", 16)]
    [TestCase("Fp8Prefill.PrefillKernel", 64)]
    [TestCase("TensorPrefill.PrefillKernel<Fp8Gpu,WideFloat32Scales,TwoPlanes>", 128)]
    [TestCase("TensorPrefill.PrefillKernel<Int4Gpu,BFloat16Scales,OnePlane>", 64)]
    public void Products_are_made_by_matrix_instructions(string name, int count)
    {
        var ptx = GpuKernels.Ptx(Find(name), CudaArchitecture.SM_90);
        Assert.That(ptx.Split("mma.sync").Length - 1, Is.EqualTo(count));
        if (name.Contains("Int4Gpu", StringComparison.Ordinal) || name.Contains("Fp8Gpu", StringComparison.Ordinal))
            Assert.That(ptx, Does.Contain("fma.rn.bf16x2"), "codes become floats two at a time");
        if (name.StartsWith("TensorPrefill", StringComparison.Ordinal))
            Assert.That(ptx, Does.Contain("cp.async.cg.shared.global").And.Contain("cp.async.wait_group 1"));
    }

    private static GpuKernel Find(string name) => GpuKernels.All.Single(kernel => kernel.Name == name);
}
