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
        Assert.That(PtxFacts.Faults(ptx, PtxFix.Target(architecture), kernel.Needs.HasFlag(KernelNeeds.Hot)), Is.Empty);
        Assert.That(ptx, Does.Contain(".entry"));
    }

    [Test]
    public void Faults_are_found()
    {
        const string Bad = ".target sm_80\n  @%p1 bra.uni L;\n  brx.idx %r1, T;\n  ld.f32 %f1, [%rd1];\n  .extern .func f\n  ld.local.f32 %f1, [%rd1];\n  add.f64 %fd1, %fd1, %fd1;\n";
        Assert.That(PtxFacts.Faults(Bad, "sm_90", hot: true).Count(), Is.EqualTo(8));
        Assert.That(PtxFacts.Faults(PtxFix.Apply(Bad, "sm_90"), "sm_90", hot: false).Count(), Is.EqualTo(3), "repaired: target and branch");
    }

    [Test]
    public void A_loop_is_counted_as_an_assembler_would_leave_it()
    {
        const string Loop = "  .reg .b32 %r<9>;\n  .reg .f32 %f<5>;\n  .reg .b64 %rd<4>;\n  .shared .align 4 .b8 a[4096];\n  L_1:\n  setp.ge.s32 %p1, %r1, %r2;\n  @%p1 bra L_2;\n"
            + "  ld.global.nc.L1::no_allocate.v4.b32 {%r3, %r4, %r5, %r6}, [%rd1];\n  and.b32 %r7, %r3, 15;\n  or.b32 %r8, %r7, 3;\n  mov.f32 %f1, 0f0;\n  mul.f32 %f2, %f1, %f1;\n  add.f32 %f3, %f2, %f1;\n  bra.uni L_1;\n  L_2:\n";
        Assert.That(PtxFacts.Of(Loop), Is.EqualTo(new PtxFacts(14, 4, 4096, 6, 1, 0)));
    }

    [TestCase("TensorDecode.DecodeKernel<Int4Gpu,BFloat16Scales,Four>", 4)]
    [TestCase("TensorDecode.DecodeKernel<Fp8Gpu,Float32Scales,Four>", 4)]
    [TestCase("TensorDecode.DecodeKernel<BFloat16Gpu,NoScales,Sixteen>", 16)]
    [TestCase("TensorPrefill.PrefillKernel<Int4Gpu,BFloat16Scales>", 64)]
    public void Products_are_made_by_matrix_instructions(string name, int count)
    {
        var ptx = GpuKernels.Ptx(Find(name), CudaArchitecture.SM_90);
        Assert.That(PtxFacts.Of(ptx).MatrixInstructions, Is.EqualTo(count));
        if (!name.Contains("BFloat16Gpu", StringComparison.Ordinal)) Assert.That(ptx, Does.Contain("fma.rn.bf16x2"), "codes become floats two at a time");
        if (name.StartsWith("TensorPrefill", StringComparison.Ordinal)) Assert.That(ptx, Does.Contain("cp.async.cg.shared.global").And.Contain("cp.async.wait_group 1"));
    }

    [Test]
    public void The_roofline_page_has_the_facts_of_today()
    {
        var page = House.House.Read("Perf/Roofline.md");
        foreach (var kernel in GpuKernels.All.Where(kernel => kernel.Needs.HasFlag(KernelNeeds.Hot)))
        {
            var facts = PtxFacts.Of(GpuKernels.Ptx(kernel, CudaArchitecture.SM_90));
            Assert.That(page, Does.Contain($"| {kernel.Name} | {facts.Registers32} | {facts.Registers64} | {facts.SharedBytes} | {facts.Loop} | {facts.Loads} | {facts.MatrixInstructions} |"), kernel.Name);
        }
    }

    private static GpuKernel Find(string name) => GpuKernels.All.Single(kernel => kernel.Name == name);
}
