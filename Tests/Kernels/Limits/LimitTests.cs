using System.Runtime.Intrinsics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Limits;

namespace Quilt.Tests.Kernels.Limits;

/// <summary>Limits are rates of this machine: that they are rates is all that can be said of their values.</summary>
[TestFixtureSource(typeof(Target), nameof(Target.Isas))]
public sealed class LimitTests(Isa isa)
{
    [Test]
    public void Measures_multiply_adds_in_registers_of_an_instruction_set()
    {
        using var device = new CpuDevice(isa, threads: 2);
        using var registers = new RegisterSpeed(device);
        foreach (var speed in new[] { registers.Int8(), registers.Int16(), registers.Float32() })
        {
            if (isa == Isa.Reference) Assert.That(speed, Is.EqualTo(Speed.None));
            else IsRate(speed);
        }
    }

    [Test]
    public void Measures_caches_and_memory()
    {
        using var device = new CpuDevice(isa, threads: 2);
        using var caches = new CacheSpeed(device);
        using var read = new ReadSpeed(device.Pool, 64 << 20);
        IsRate(caches.FirstLevel());
        IsRate(caches.SecondLevel());
        IsRate(read.Measure());
        Assert.That(read.Bytes, Is.EqualTo(64 << 20));
    }

    [Test]
    public void Measures_our_own_kernel()
    {
        using var device = new CpuDevice(isa, threads: 2);
        using var kernel = new Int4KernelSpeed(device);
        if (isa == Isa.Reference) Assert.That(kernel.Measure(), Is.EqualTo(Speed.None));
        else IsRate(kernel.Measure());
    }

    private static void IsRate(Speed speed)
    {
        Assert.That(speed.Median, Is.GreaterThan(0).And.LessThanOrEqualTo(speed.Best));
        Assert.That(double.IsFinite(speed.Best), Is.True);
    }
}

/// <summary>What a rate is made of.</summary>
public sealed class SpeedTests
{
    [Test]
    public void Is_the_best_and_the_middle_of_its_passes()
    {
        var passes = new List<int>();
        var speed = Speed.Of(5, 1e9, passes.Add);
        Assert.That(passes, Is.EqualTo(new[] { 0, 1, 2, 3, 4 }));
        Assert.That(speed.Best, Is.GreaterThanOrEqualTo(speed.Median));
    }

    [Test]
    public void A_link_counts_two_operations_for_each_product_of_its_instruction()
    {
        Assert.That(Int8Steps512.Operations, Is.EqualTo(2 * Vector512<byte>.Count));
        Assert.That(Int16Steps512.Operations, Is.EqualTo(2 * Vector512<short>.Count));
        Assert.That(FloatSteps512.Operations, Is.EqualTo(2 * Vector512<float>.Count));
        Assert.That(Int8Steps256.Operations, Is.EqualTo(2 * Vector256<byte>.Count));
        Assert.That(Int8DotSteps256.Operations, Is.EqualTo(2 * Vector256<byte>.Count));
        Assert.That(Int16Steps256.Operations, Is.EqualTo(2 * Vector256<short>.Count));
        Assert.That(FloatSteps256.Operations, Is.EqualTo(2 * Vector256<float>.Count));
        Assert.That(Int8Steps128.Operations, Is.EqualTo(2 * Vector128<byte>.Count));
        Assert.That(Int8DotStepsNeon.Operations, Is.EqualTo(2 * Vector128<byte>.Count));
        Assert.That(Int16Steps128.Operations, Is.EqualTo(2 * Vector128<short>.Count));
        Assert.That(FloatSteps128.Operations, Is.EqualTo(2 * Vector128<float>.Count));
        // These take half of a register.
        Assert.That(Int8StepsNeon.Operations, Is.EqualTo(2 * Vector64<byte>.Count));
        Assert.That(Int16StepsNeon.Operations, Is.EqualTo(2 * Vector64<short>.Count));
    }
}
