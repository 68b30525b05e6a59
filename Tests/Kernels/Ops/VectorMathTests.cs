using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops.Vectors;

namespace Quilt.Tests.Kernels.Ops;

[TestFixtureSource(nameof(Targets))]
public sealed class VectorMathTests(Target target) : OpTests(target)
{
    public static IEnumerable<Target> Targets() => Target.All.Where(target => !target.IsGpu);

    [Test]
    public void Exp_is_within_two_units_in_the_last_place()
    {
        var x = Sweep(-87, 88);
        var y = (float[])x.Clone();
        Exp(y);
        for (var i = 0; i < x.Length; i++)
        {
            var exact = Math.Exp(x[i]);
            Assert.That(Math.Abs(y[i] - exact) / exact, Is.LessThan(2.4e-7).Or.LessThan(1e-44 / exact), $"e^{x[i]:R}");
        }
    }

    [Test]
    public void Exp_ends_in_zero_and_saturates_and_keeps_NaN()
    {
        float[] x = [float.NegativeInfinity, -1e30f, -100, -88, 0, -0f, 1, 89, float.PositiveInfinity, float.NaN, float.Epsilon, -87.9f, 88.2f, 1000,
            -104, 2];
        Exp(x);
        Assert.That(x[..4], Is.All.Zero);
        Assert.That(x[4..6], Is.All.EqualTo(1f));
        Assert.That(x[6], Is.EqualTo(MathF.E).Within(1).Ulps);
        Assert.That(x[7], Is.GreaterThan(2e38f).And.LessThan(float.PositiveInfinity));
        Assert.That(x[8], Is.EqualTo(x[7]));
        Assert.That(float.IsNaN(x[9]));
        Assert.That(x[10], Is.EqualTo(1f));
    }

    [Test]
    public void Every_width_gives_the_bits_of_the_widest()
    {
        if (Ops.Device.Isa == Isa.Reference) Assert.Ignore("No vectors.");
        foreach (var (low, high) in new[] { (-90f, 90f), (-1f, 1f), (-1e-3f, 1e-3f) })
        {
            var (own, narrow) = (Sweep(low, high), Sweep(low, high));
            Exp(own);
            Map<Vector16x4>(narrow, VectorMath.Exp);
            AssertSameBits(own, narrow, "exp");

            (own, narrow) = (Sweep(low, high), Sweep(low, high));
            Fold(own);
            FoldOf<Vector16x4>(narrow);
            AssertSameBits(own, narrow, "sum, largest");
        }
    }

    [Test]
    public void The_double_exp_behind_the_router_is_exact_to_float32()
    {
        for (var x = -90.0; x < 90; x += 0.0137)
        {
            Assert.That(VectorMath.Exp(x), Is.EqualTo(Math.Exp(x)).Within(1e-14 * Math.Exp(x)));
            Assert.That(VectorMath.Sigmoid((float)x), Is.EqualTo((float)(1 / (1 + Math.Exp(-(double)(float)x)))).Within(1).Ulps);
        }
        Assert.That(VectorMath.Exp(double.NaN), Is.NaN);
        Assert.That(VectorMath.Sigmoid(float.NegativeInfinity), Is.Zero);
        Assert.That(VectorMath.Sigmoid(float.PositiveInfinity), Is.EqualTo(1f));
        Assert.That(VectorMath.Sigmoid(0), Is.EqualTo(0.5f));
    }

    [Test]
    public unsafe void A_part_of_a_vector_touches_nothing_else([Range(1, 16)] int count)
    {
        var values = Enumerable.Range(1, 17).Select(i => (float)i).ToArray();
        var stored = new float[17];
        fixed (float* from = values, to = stored) VectorMath.StoreFirst(VectorMath.LoadFirst<Vector16x4>(from, count), to, count);
        Assert.That(stored[..count], Is.EqualTo(values[..count]));
        Assert.That(stored[count..], Is.All.Zero);
    }

    private static float[] Sweep(float low, float high) =>
        Enumerable.Range(0, 16 * 256).Select(i => low + ((high - low) * i / (16 * 256 - 1))).ToArray();

    private void Exp(Span<float> values)
    {
        switch (Ops.Device.Isa)
        {
            case Isa.Avx512: Map<Vector16x1>(values, VectorMath.Exp); break;
            case Isa.Avx2 or Isa.AvxVnni: Map<Vector16x2>(values, VectorMath.Exp); break;
            default: Map<Vector16x4>(values, VectorMath.Exp); break;
        }
    }

    private void Fold(Span<float> values)
    {
        switch (Ops.Device.Isa)
        {
            case Isa.Avx512: FoldOf<Vector16x1>(values); break;
            case Isa.Avx2 or Isa.AvxVnni: FoldOf<Vector16x2>(values); break;
            default: FoldOf<Vector16x4>(values); break;
        }
    }

    private static unsafe void Map<T>(Span<float> values, Func<T, T> function) where T : unmanaged, IVector16<T>
    {
        fixed (float* p = values)
        {
            for (var i = 0; i < values.Length; i += 16) T.Store(function(T.Load(p + i)), p + i);
        }
    }

    private static unsafe void FoldOf<T>(Span<float> values) where T : unmanaged, IVector16<T>
    {
        fixed (float* p = values)
        {
            for (var i = 0; i < values.Length; i += 16)
            {
                var v = T.Load(p + i);
                (p[i], p[i + 1]) = (T.Sum(v), T.MaxLane(v));
            }
        }
    }
}
