using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// An input quantized for integer products: groups of 32 values, each x ≈ d · q with q in −127..127 and d = largest |x| / 127.
/// Rounded in plain code, so every instruction set gets the same numbers.
/// </summary>
internal readonly unsafe struct Int8Activations
{
    /// <summary>Values that share a scale.</summary>
    public const int Group = 32;

    private Int8Activations(OpStream ops, int rows, int columns)
    {
        (Rows, Groups) = (rows, columns / Group);
        Codes = (sbyte*)ops.Bytes((long)rows * columns);
        Scales = (float*)ops.Bytes((long)rows * Groups * sizeof(float));
        Sums = (float*)ops.Bytes((long)rows * Groups * sizeof(float));
    }

    public int Rows { get; }

    /// <summary>Groups in a row.</summary>
    public int Groups { get; }

    /// <summary>[rows, groups, 32] q.</summary>
    public sbyte* Codes { get; }

    /// <summary>[rows, groups] d.</summary>
    public float* Scales { get; }

    /// <summary>[rows, groups] Σ q, as a float: exact.</summary>
    public float* Sums { get; }

    /// <summary>The codes of one row.</summary>
    public sbyte* RowCodes(int row) => Codes + ((long)row * Groups * Group);

    /// <summary>The scales of one row.</summary>
    public float* RowScales(int row) => Scales + ((long)row * Groups);

    /// <summary>The sums of one row.</summary>
    public float* RowSums(int row) => Sums + ((long)row * Groups);

    /// <summary>Quantizes all rows of x, whose columns are a multiple of 32, into scratch memory.</summary>
    public static Int8Activations Quantize(OpStream ops, Matrix x)
    {
        using var watch = ops.Watch(StepPart.QuantizeInput);
        var quantized = new Int8Activations(ops, x.Rows, x.Columns);
        var job = new Job(x, quantized);
        ops.Deal(x.Rows, 4L * x.Rows * x.Columns, ref job);
        return quantized;
    }

    private readonly struct Job(Matrix x, Int8Activations into) : IJob
    {
        public void Execute(int row)
        {
            var from = x.RowData(row);
            for (var g = row * into.Groups; g < (row + 1) * into.Groups; g++, from += Group)
            {
                var largest = 0f;
                for (var k = 0; k < Group; k++) largest = Math.Max(largest, Math.Abs(from[k]));
                var inverse = largest > 0 ? 127 / largest : 0;
                var to = into.Codes + ((long)g * Group);
                var sum = 0;
                for (var k = 0; k < Group; k++)
                {
                    var q = (int)MathF.Round(from[k] * inverse);
                    to[k] = (sbyte)q;
                    sum += q;
                }
                into.Scales[g] = largest / 127;
                into.Sums[g] = sum;
            }
        }
    }
}
