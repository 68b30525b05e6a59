using System.Runtime.Intrinsics;
using Quilt.Kernels.Devices;
using Quilt.Kernels.Ops;

namespace Quilt.Kernels.Weights.Tiles;

/// <summary>
/// An input quantized for integer products: groups of 32 values, each x ≈ d · q with q in −127..127 and d = largest |x| / 127. Every step is exact or
/// rounded once, so every instruction set gets the same numbers.
/// </summary>
/// <remarks>
/// Held as [rows, groups] records of 48 bytes: 32 bytes q; float d; two int16, −8
/// times the sum of q over the even and over the odd pairs of columns, where the sums of offset-binary codes begin; float Σ q; 4 bytes unused.
/// </remarks>
internal readonly unsafe struct Int8Activations
{
    /// <summary>Values that share a scale.</summary>
    public const int Group = 32;

    /// <summary>Bytes of a record.</summary>
    public const int RecordBytes = 48;

    /// <summary>Where d lies in a record.</summary>
    public const int ScaleAt = 32;

    /// <summary>Where the two int16 lie.</summary>
    public const int StartAt = 36;

    /// <summary>Where Σ q lies.</summary>
    public const int SumAt = 40;

    private Int8Activations(OpStream ops, int rows, int columns)
    {
        (Rows, Groups) = (rows, columns / Group);
        Records = ops.Bytes((long)rows * Groups * RecordBytes);
    }

    public int Rows { get; }

    /// <summary>Groups in a row.</summary>
    public int Groups { get; }

    /// <summary>[rows, groups] records.</summary>
    public byte* Records { get; }

    /// <summary>Bytes from one row to the next.</summary>
    public nint RowBytes => (nint)Groups * RecordBytes;

    /// <summary>Quantizes all rows of x, whose columns are a multiple of 32, into scratch memory.</summary>
    public static Int8Activations Quantize(OpStream ops, Matrix x)
    {
        using var watch = ops.Watch(StepPart.QuantizeInput);
        var quantized = new Int8Activations(ops, x.Rows, x.Columns);
        var job = new Job(x, quantized);
        ops.Deal(x.Rows, (long)x.Rows * x.Columns, ref job);
        return quantized;
    }

    private readonly struct Job(Matrix x, Int8Activations into) : IJob
    {
        public void Execute(int row)
        {
            var from = x.RowData(row);
            var to = into.Records + (row * into.RowBytes);
            for (var g = 0; g < into.Groups; g++, from += Group, to += RecordBytes) Quantize(from, to);
        }

        private static void Quantize(float* from, byte* to)
        {
            var (a, b, c, d) = (Vector256.Load(from), Vector256.Load(from + 8), Vector256.Load(from + 16), Vector256.Load(from + 24));
            var most = Vector256.Max(Vector256.Max(Vector256.Abs(a), Vector256.Abs(b)), Vector256.Max(Vector256.Abs(c), Vector256.Abs(d)));
            var four = Vector128.Max(most.GetLower(), most.GetUpper());
            var largest = MathF.Max(MathF.Max(four[0], four[1]), MathF.Max(four[2], four[3]));
            var inverse = Vector256.Create(largest > 0 ? 127 / largest : 0);

            var first = Vector256.Narrow(Rounded(a * inverse), Rounded(b * inverse));
            var second = Vector256.Narrow(Rounded(c * inverse), Rounded(d * inverse));
            Vector256.Narrow(first, second).Store((sbyte*)to);

            // Lane 2i of a quarter of first holds column 4j + 2i, so that sums of lanes of the same parity of i are the sums of pairs.
            var pairs = first + second;
            var eight = pairs.GetLower() + pairs.GetUpper();
            var (even, odd) = (eight[0] + eight[1] + eight[4] + eight[5], eight[2] + eight[3] + eight[6] + eight[7]);
            *(float*)(to + ScaleAt) = largest / 127;
            *(int*)(to + StartAt) = (ushort)(-8 * even) | (-8 * odd << 16);
            *(float*)(to + SumAt) = even + odd;
        }

        private static Vector256<int> Rounded(Vector256<float> values) => Vector256.ConvertToInt32(Vector256.Round(values));
    }
}
