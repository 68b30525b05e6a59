using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;

namespace Quilt.Tests.Kernels.Weights;

/// <summary>
/// Weights whose input is quantized (to int8 for codes of four bits, to 12 bits for codes of eight), against the definition in plain numbers.
/// </summary>
[TestFixtureSource(nameof(Targets))]
public sealed class Int8ActivationsTests(Isa isa)
{
    // Of the others the input stays a float: their groups are not whole ones of the input's, or they have zero points.
    private static readonly string[] Kinds =
    [
        .. RandomWeights.Kinds.Where(kind => kind.StartsWith("int4", StringComparison.Ordinal)),
        "int8-g32", "int8-channel", "fp8-block", "fp8-128", "fp8-channel",
    ];

    /// <summary>The reference multiplies floats only: there is nothing faster about integers in plain code.</summary>
    public static IEnumerable<Isa> Targets() => Target.Isas.Where(isa => isa != Isa.Reference);

    [Test]
    public void Multiplies_the_quantized_input_exactly([ValueSource(nameof(Kinds))] string kind, [Values(1, 2, 4, 6, 55)] int tokens)
    {
        const int Rows = 83, Columns = 192;
        using var device = new CpuDevice(isa, threads: 2);
        using var ops = new OpStream(device, Activations.Int8);
        using var w = RandomWeights.Make(kind, 1, Rows, Columns, seed: 1);
        var x = ops.Scratch(tokens, Columns);
        OpTests.Fill(x.Values, seed: 2, scale: 3);
        var y = ops.Scratch(tokens, Rows);
        w.MatMul(ops, x, y);

        var row = new float[Columns];
        var order = w is Int4GroupWeight int4 ? int4.Layout.Order : [.. Enumerable.Range(0, Columns)];
        var steps = w is Int4GroupWeight ? 127f : 2047f;
        for (var t = 0; t < tokens; t++)
        {
            var quantized = Quantized(x.Row(t), order, steps);
            for (var n = 0; n < Rows; n++)
            {
                w.Dequantize(0, n, row);
                var (exact, magnitude) = (0.0, 0.0);
                for (var k = 0; k < Columns; k++)
                {
                    exact += row[k] * quantized[k];
                    magnitude += Math.Abs(row[k] * quantized[k]);
                }
                // A code of FP8 becomes a whole number of 64ths: of a largest of 448 that is 3.5e-5.
                var rounding = w is Fp8BlockWeight ? row.Max(Math.Abs) * 4e-5 * quantized.Sum(Math.Abs) : 0;
                Assert.That(y.Row(t)[n], Is.EqualTo(exact).Within((1e-6 * magnitude) + rounding), $"[{t}, {n}]");
            }
        }
    }

    [Test]
    public void Gives_the_same_bits_as_every_other_instruction_set_and_as_each_token_alone(
        [Values("int4-g32", "int4-asym", "int8-g32", "fp8-128")] string kind)
    {
        Assert.That(Bits(kind, isa, together: true), Is.EqualTo(Bits(kind, Isa.Neon, together: false)));
    }

    private static uint[] Bits(string kind, Isa isa, bool together)
    {
        using var device = new CpuDevice(isa, threads: 2);
        using var ops = new OpStream(device, Activations.Int8);
        using var w = RandomWeights.Make(kind, 1, 100, 256, seed: 3);
        var x = ops.Scratch(7, 256);
        OpTests.Fill(x.Values, seed: 4, scale: 1);
        var y = ops.Scratch(7, 100);
        if (together) w.MatMul(ops, x, y);
        else for (var t = 0; t < 7; t++) w.MatMul(ops, x.Slice(t, 1), y.Slice(t, 1));
        return Array.ConvertAll(y.Values.ToArray(), BitConverter.SingleToUInt32Bits);
    }

    /// <summary>x as the kernel sees it: groups of 32 places rounded to 127 or 2,047 steps, back in the order of columns.</summary>
    private static double[] Quantized(ReadOnlySpan<float> x, int[] order, float steps)
    {
        var values = new double[x.Length];
        for (var start = 0; start < order.Length; start += 32)
        {
            var group = order[start..(start + 32)];
            var largest = 0f;
            foreach (var column in group) largest = Math.Max(largest, column < 0 ? 0 : Math.Abs(x[column]));
            if (largest == 0) continue;
            foreach (var column in group)
            {
                if (column >= 0) values[column] = MathF.Round(x[column] * (steps / largest)) * (double)(largest / steps);
            }
        }
        return values;
    }
}
