using ILGPU;
using ILGPU.Runtime;
using Quilt.Formats.Numerics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;
using Quilt.Kernels.Weights;
using Quilt.Tests.Kernels.Weights;

namespace Quilt.Tests.Kernels.Gpu;

/// <summary>
/// The tensor-core kernels, on the stand-in that computes those instructions lane by lane, and on a GPU where there is one.
/// </summary>
[TestFixtureSource(typeof(Target), nameof(Target.TensorCores))]
[Category("Gpu")]
public sealed class TensorCoreTests(Target target) : OpTests(target)
{
    /// <summary>Formats and segments that these kernels take.</summary>
    private static readonly string[] Kinds = ["bf16", "fp8-wide", "fp8-channel", "int4-g32", "int4-channel", "int4-asym", "int4-f32scale"];

    /// <summary>Rows from which on a matrix is multiplied by the kernels for many, however few tiles it has.</summary>
    private const int Many = 65;

    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<uint>, ArrayView<uint>, ArrayView<float>>> Product =
        new(ProductKernel, KernelNeeds.TensorCores);

    internal static void ProductKernel(ArrayView<uint> a, ArrayView<uint> b, ArrayView<float> c)
    {
        var lane = Group.IdxX;
        var sum = TensorCore.Multiply(default, a[4 * lane], a[(4 * lane) + 1], a[(4 * lane) + 2], a[(4 * lane) + 3], b[2 * lane], b[(2 * lane) + 1]);
        c[4 * lane] = sum.A;
        c[(4 * lane) + 1] = sum.B;
        c[(4 * lane) + 2] = sum.C;
        c[(4 * lane) + 3] = sum.D;
    }

    [Test]
    public void A_matrix_instruction_multiplies_what_its_lanes_hold()
    {
        var random = new Random(1);
        var (a, b) = (new float[16, 16], new float[16, 8]);
        foreach (var m in new[] { a, b })
        {
            for (var i = 0; i < m.GetLength(0); i++) for (var j = 0; j < m.GetLength(1); j++) m[i, j] = BFloat16.Round(random.NextSingle() - 0.5f);
        }
        var (left, right, result) = (new uint[128], new uint[64], new float[128]);
        for (var lane = 0; lane < 32; lane++)
        {
            var (g, t) = (lane / 4, 2 * (lane % 4));
            for (var r = 0; r < 4; r++)
                left[(4 * lane) + r] = Pair(a[g + (8 * (r % 2)), t + (8 * (r / 2))], a[g + (8 * (r % 2)), t + (8 * (r / 2)) + 1]);
            for (var r = 0; r < 2; r++) right[(2 * lane) + r] = Pair(b[t + (8 * r), g], b[t + (8 * r) + 1, g]);
        }
        var accelerator = Ops.Gpu!.Device.Accelerator;
        using var x = accelerator.Allocate1D(left);
        using var y = accelerator.Allocate1D(right);
        using var z = accelerator.Allocate1D<float>(128);
        Product.On(Ops.Gpu.Device)(Ops.Gpu.Queue, new KernelConfig(1, 32), x.View.BaseView, y.View.BaseView, z.View.BaseView);
        Ops.Gpu.Queue.Synchronize();
        z.CopyToCPU(result);
        for (var lane = 0; lane < 32; lane++)
        {
            for (var r = 0; r < 4; r++)
            {
                var (row, column) = ((lane / 4) + (8 * (r / 2)), (2 * (lane % 4)) + (r % 2));
                var sum = 0.0;
                for (var k = 0; k < 16; k++) sum += (double)a[row, k] * b[k, column];
                Assert.That(result[(4 * lane) + r], Is.EqualTo(sum).Within(1e-6), $"[{row}, {column}]");
            }
        }

        static uint Pair(float low, float high) => ((BFloat16)low).Bits | ((uint)((BFloat16)high).Bits << 16);
    }

    [Test]
    public void A_product_of_few_rows_is_as_good_as_float32([ValueSource(nameof(Kinds))] string kind) =>
        Check(kind, rows: 37, columns: 192, tokens: 1, within: 3e-5f, rounded: false);

    [Test]
    public void More_rows_have_kernels_of_their_own([Values("bf16", "fp8-wide", "int4-g32")] string kind, [Values(6, 13)] int tokens) =>
        Check(kind, rows: 20, columns: 128, tokens, within: 3e-5f, rounded: false);

    [Test]
    public void A_product_of_many_rows_is_as_good_as_float32([Values("bf16", "fp8-wide", "int4-g32", "int4-asym", "int4-f32scale")] string kind) =>
        Check(kind, rows: 37, columns: 128, Many, within: 3e-5f, rounded: false);

    [Test]
    public void A_matrix_of_few_tiles_gives_each_of_some_dozens_of_rows_what_it_has_alone(
        [Values("bf16", "fp8-wide", "int4-g32")] string kind, [Values(17, 40, Many - 1)] int tokens)
    {
        Check(kind, rows: 20, columns: 128, tokens, within: 3e-5f, rounded: false);
        using var on = Target.Place(RandomWeights.Make(kind, 1, 20, 128, seed: 20));
        var x = Random(tokens, 128, seed: 128);
        var together = Ops.Scratch(tokens, 20);
        on.MatMul(Ops, On(x), together);
        together = Back(together);
        for (var t = 0; t < tokens; t += 8)
        {
            var alone = Ops.Scratch(1, 20);
            on.MatMul(Ops, On(x.Slice(t, 1)), alone);
            AssertSameBits(Back(alone).Values, together.Row(t), $"row {t}");
        }
    }

    [Test]
    public void With_bfloat16_input_a_product_of_many_rows_is_that_of_the_rounded_input()
    {
        using var w = RandomWeights.Make("int4-g32", 1, 37, 128, seed: 37);
        using var on = Target.Place(w);
        using var ops = new OpStream(Target.Open(), Activations.BFloat16);
        var x = Random(Many, 128, seed: 128);
        var (y, expected) = (ops.Scratch(Many, 37), Ops.HostScratch(Many, 37));
        on.MatMul(ops, ops.ToDevice(x), y);
        foreach (ref var value in x.Values) value = BFloat16.Round(value);
        ReferenceMatMul.Run(w, x, expected);
        AssertClose(ops.ToHost(y), expected, 2e-6f * Magnitude(expected));
    }

    private static readonly GpuKernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<uint>>> Codes = new(CodesKernel);

    internal static void CodesKernel(ArrayView<float> x, ArrayView<uint> codes) => codes[Grid.GlobalIndex.X] = GpuMath.ToE4M3(x[Grid.GlobalIndex.X]);

    [Test]
    public void Numbers_become_FP8_as_the_format_says()
    {
        float[] halves = [.. Enumerable.Range(0, 0x7E).Select(code => (Float8E4M3.Decode((byte)code) + Float8E4M3.Decode((byte)(code + 1))) / 2)];
        float[] values =
        [
            .. Enumerable.Range(0, 256).Select(code => Float8E4M3.Decode((byte)code)), .. halves, .. halves.Select(MathF.BitIncrement),
            .. halves.Select(MathF.BitDecrement), .. halves.Select(half => -half),
            449, -1e9f, float.PositiveInfinity, 1e-9f, -0f, float.NaN,
        ];
        var accelerator = Ops.Gpu!.Device.Accelerator;
        using var x = accelerator.Allocate1D(values);
        using var codes = accelerator.Allocate1D<uint>(values.Length);
        Codes.On(Ops.Gpu.Device)(Ops.Gpu.Queue, new KernelConfig(values.Length, 1), x.View.BaseView, codes.View.BaseView);
        Ops.Gpu.Queue.Synchronize();
        var found = codes.GetAsArray1D();
        for (var i = 0; i < values.Length; i++)
        {
            Assert.That(found[i], Is.EqualTo(Float8E4M3.Encode(values[i])), $"{values[i]:R}");
        }
    }

    [Test]
    public void An_FP8_product_multiplies_codes_of_both_sides([Values(Many, 70)] int tokens, [Values(128, 256)] int columns,
        [Values("fp8-128", "fp8-channel")] string kind)
    {
        using var w = RandomWeights.Make(kind, 1, 37, columns, seed: 37);
        using var on = Target.Place(w);
        using var ops = new OpStream(Target.Open(), Activations.Fp8);
        if (!ops.Gpu!.Device.Traits.Fp8) Assert.Ignore("The device has no tensor cores that take FP8.");
        var x = Random(tokens, columns, seed: 128, scale: 5);
        x.Row(3).Clear();
        var (y, expected) = (ops.Scratch(tokens, 37), Ops.HostScratch(tokens, 37));
        on.MatMul(ops, ops.ToDevice(x), y);
        var far = Ops.HostScratch(tokens, 37);
        ReferenceMatMul.Run(w, x, far);
        for (var t = 0; t < tokens; t++) RoundToCodes(x.Row(t));
        ReferenceMatMul.Run(w, x, expected);
        AssertClose(ops.ToHost(y), expected, 1e-5f * Magnitude(expected));
        Assert.That(ops.ToHost(y).Values.ToArray().Zip(far.Values.ToArray(), (a, b) => Math.Abs(a - b)).Max(),
            Is.InRange(1e-3f * Magnitude(far), 0.1f * Magnitude(far)), "it is a rounding of the input");

        static void RoundToCodes(Span<float> row)
        {
            for (var start = 0; start < row.Length; start += 128)
            {
                var part = row.Slice(start, Math.Min(128, row.Length - start));
                var largest = 0f;
                foreach (var value in part) largest = Math.Max(largest, Math.Abs(value));
                var scale = largest * (1f / 448f);
                foreach (ref var value in part) value = scale > 0 ? Float8E4M3.Decode(Float8E4M3.Encode(value * (1f / scale))) * scale : 0;
            }
        }
    }

    [Test]
    public void Three_FP8_products_of_one_input_are_what_each_alone_is()
    {
        using var ops = new OpStream(Target.Open(), Activations.Fp8);
        int[] rows = [40, 16, 20];
        var on = rows.Select(count => Target.Place(RandomWeights.Make("fp8-128", 1, count, 128, seed: count))).ToArray();
        var x = ops.ToDevice(Random(Many, 128, seed: 5));
        var y = rows.Select(count => ops.Scratch(Many, count)).ToArray();
        Assert.That(on[0].TryMatMulThree(ops, x, y[0], on[1], y[1], on[2], y[2]), Is.True);
        for (var i = 0; i < rows.Length; i++)
        {
            var alone = ops.Scratch(Many, rows[i]);
            on[i].MatMul(ops, x, alone);
            AssertSameBits(ops.ToHost(y[i]).Values, ops.ToHost(alone).Values, $"weight {i}");
            on[i].Dispose();
        }
    }

    [Test]
    public void A_product_of_many_rows_has_no_seams_between_blocks() =>
        Check("int4-g32", rows: 130, columns: 64, tokens: 66, within: 2e-6f, rounded: true);

    [Test]
    public void Experts_are_multiplied_together_as_each_alone([Values("int4-g32", "fp8-wide")] string kind, [Values(1, 5)] int tokens,
        [Values] bool byPair)
    {
        const int Rows = 32, Columns = 64, Experts = 4, PerToken = 2;
        using var w = RandomWeights.Make(kind, Experts, Rows, Columns, seed: 3);
        using var on = Target.Place(w);
        using var plan = Plan(tokens, PerToken, Experts);
        var x = Random(byPair ? plan.Pairs : tokens, Columns, seed: 5);
        var (y, expected) = (Ops.Scratch(plan.Pairs, Rows), Ops.HostScratch(plan.Pairs, Rows));
        var rows = byPair ? ExpertRows.Pairs : ExpertRows.Tokens;
        on.MatMulExperts(Ops, On(x), plan, rows, y);
        ReferenceMatMul.Run(w, x, plan, rows, expected);
        AssertClose(Back(y), expected, within: 3e-5f);
    }

    [Test]
    public void Gate_and_up_are_multiplied_in_one_launch([Values("int4-g32", "fp8-wide")] string kind, [Values(1, 5)] int tokens)
    {
        const int Rows = 32, Columns = 64, Experts = 4, PerToken = 2;
        using var gate = RandomWeights.Make(kind, Experts, Rows, Columns, seed: 3);
        using var up = RandomWeights.Make(kind, Experts, Rows, Columns, seed: 4);
        using var onGate = Target.Place(gate);
        using var onUp = Target.Place(up);
        using var plan = Plan(tokens, PerToken, Experts);
        var x = Random(tokens, Columns, seed: 5);
        var y = Ops.Scratch(plan.Pairs, Rows);
        Assert.That(onGate.TryMatMulGated(Ops, onUp, On(x), plan, into: y), Is.True);

        var (g, u) = (Ops.HostScratch(plan.Pairs, Rows), Ops.HostScratch(plan.Pairs, Rows));
        ReferenceMatMul.Run(gate, x, plan, ExpertRows.Tokens, g);
        ReferenceMatMul.Run(up, x, plan, ExpertRows.Tokens, u);
        Elementwise<SiluMulOp>.Reference(g, u, g);
        AssertClose(Back(y), g, within: 3e-5f * Magnitude(g));
    }

    [Test]
    public void Three_products_of_one_input_are_what_each_alone_is([Values("int4-g32", "fp8-wide", "bf16")] string kind,
        [Values(1, 7, 11, 17, Many)] int tokens)
    {
        int[] rows = [40, 16, 20];
        var weights = rows.Select(count => RandomWeights.Make(kind, 1, count, 128, seed: count)).ToArray();
        var on = weights.Select(Target.Place).ToArray();
        var x = Random(tokens, 128, seed: 5);
        var y = rows.Select(count => Ops.Scratch(tokens, count)).ToArray();
        Assert.That(on[0].TryMatMulThree(Ops, On(x), y[0], on[1], y[1], on[2], y[2]), Is.True);
        for (var i = 0; i < rows.Length; i++)
        {
            var expected = Ops.HostScratch(tokens, rows[i]);
            ReferenceMatMul.Run(weights[i], x, expected);
            AssertClose(Back(y[i]), expected, 3e-5f * Magnitude(expected));
        }
        foreach (var weight in weights.Concat(on)) weight.Dispose();
    }

    [Test]
    public void Products_that_share_nothing_are_not_made_together()
    {
        using var int4 = Target.Place(RandomWeights.Make("int4-g32", 1, 16, 128, seed: 1));
        using var bf16 = Target.Place(RandomWeights.Make("bf16", 1, 16, 128, seed: 1));
        using var asymmetric = Target.Place(RandomWeights.Make("int4-asym", 1, 16, 128, seed: 1));
        var x = On(Random(1, 128, seed: 5));
        var y = Ops.Scratch(1, 16);
        Assert.That(int4.TryMatMulThree(Ops, x, y, int4, y, bf16, y), Is.False);
        Assert.That(int4.TryMatMulThree(Ops, x, y, asymmetric, y, int4, y), Is.False);
    }

    [TestCase("fp8-block", 128)]
    [TestCase("fp8-wide", 96)]
    [TestCase("int4-g16", 128)]
    [TestCase("int4-reordered", 96)]
    [TestCase("int8-g32", 128)]
    public void What_they_do_not_take_is_multiplied_by_the_kernel_for_every_device(string kind, int columns)
    {
        using var w = RandomWeights.Make(kind, 1, 20, columns, seed: 5);
        using var on = Target.Place(w);
        Assert.That(((GpuWeight)on).SuitsTensorCores, Is.False);
        var x = Random(2, columns, seed: columns);
        var (y, expected) = (Ops.Scratch(2, 20), Ops.HostScratch(2, 20));
        on.MatMul(Ops, On(x), y);
        ReferenceMatMul.Run(w, x, expected);
        AssertClose(Back(y), expected, 2e-6f * Magnitude(expected));
    }

    private void Check(string kind, int rows, int columns, int tokens, float within, bool rounded)
    {
        using var w = RandomWeights.Make(kind, 1, rows, columns, seed: rows);
        using var on = Target.Place(w);
        Assert.That(((GpuWeight)on).SuitsTensorCores, Is.True, "else the kernel for every device would be tested");
        var x = Random(tokens, columns, seed: columns);
        if (rounded) foreach (ref var value in x.Values) value = BFloat16.Round(value);
        var (y, expected) = (Ops.Scratch(tokens, rows), Ops.HostScratch(tokens, rows));
        on.MatMul(Ops, On(x), y);
        ReferenceMatMul.Run(w, x, expected);
        AssertClose(Back(y), expected, within * Magnitude(expected));
    }

    private static float Magnitude(Matrix x) => Math.Max(1f, x.Values.ToArray().Max(Math.Abs));

    private static ExpertPlan Plan(int tokens, int perToken, int experts)
    {
        var plan = new ExpertPlan();
        plan.Prepare(tokens, perToken, experts);
        var random = new Random(4);
        for (var t = 0; t < tokens; t++)
            Enumerable.Range(0, experts).OrderBy(_ => random.Next()).Take(perToken).Order().ToArray().CopyTo(plan.Ids, t * perToken);
        plan.Sort();
        return plan;
    }
}
