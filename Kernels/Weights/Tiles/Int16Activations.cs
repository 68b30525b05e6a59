using System.Runtime.Intrinsics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// An input quantized for products with codes of eight bits: groups of 32 values, each x ≈ d · q with q in −2047..2047 and d = largest |x| / 2047. So
/// many bits that 32 products with the largest FP8 code fit in an int32, and a sixteenth of int8's error.
/// </summary>
internal readonly unsafe struct Int16Activations
{
    /// <summary>Values that share a scale.</summary>
    public const int Group = 32;

    private const float Most = 2047;

    private Int16Activations(OpStream ops, int rows, int columns)
    {
        Codes = ops.HostScratch(rows, columns / 2);
        Scales = ops.HostScratch(rows, columns / Group);
    }

    /// <summary>[rows, columns / 2] two int16 q in the place of a float.</summary>
    public Matrix Codes { get; }

    /// <summary>[rows, groups] d.</summary>
    public Matrix Scales { get; }

    /// <summary>Quantizes all rows of x, whose columns are a multiple of 32, into scratch memory.</summary>
    public static Int16Activations Quantize(OpStream ops, Matrix x)
    {
        var quantized = new Int16Activations(ops, x.Rows, x.Columns);
        var job = new Job(x, quantized);
        ops.Deal(x.Rows, (long)x.Rows * x.Columns, ref job);
        return quantized;
    }

    private readonly struct Job(Matrix x, Int16Activations into) : IJob
    {
        public void Execute(int row)
        {
            var from = x.RowData(row);
            var to = (short*)into.Codes.RowData(row);
            var scales = into.Scales.RowData(row);
            for (var g = 0; g < into.Scales.Columns; g++, from += Group, to += Group)
            {
                var (a, b, c, d) = (Vector256.Load(from), Vector256.Load(from + 8), Vector256.Load(from + 16), Vector256.Load(from + 24));
                var most = Vector256.Max(Vector256.Max(Vector256.Abs(a), Vector256.Abs(b)), Vector256.Max(Vector256.Abs(c), Vector256.Abs(d)));
                var four = Vector128.Max(most.GetLower(), most.GetUpper());
                var largest = MathF.Max(MathF.Max(four[0], four[1]), MathF.Max(four[2], four[3]));
                var inverse = Vector256.Create(largest > 0 ? Most / largest : 0);
                Vector256.Narrow(Rounded(a * inverse), Rounded(b * inverse)).Store(to);
                Vector256.Narrow(Rounded(c * inverse), Rounded(d * inverse)).Store(to + 16);
                scales[g] = largest / Most;
            }
        }

        private static Vector256<int> Rounded(Vector256<float> values) => Vector256.ConvertToInt32(Vector256.Round(values));
    }
}
