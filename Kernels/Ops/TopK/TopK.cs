using System.Diagnostics;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

/// <summary>
/// Of each row of logits the k largest, largest first, of equals the lower id; and Σ e^(x − largest) over the row, as it is and with x − largest
/// multiplied by a scale. +0 comes before −0, and what is no number before everything else: the order of <see cref="Key"/>.
/// </summary>
internal static partial class TopKOp
{
    /// <summary>Most that can be asked for.</summary>
    internal const int MostK = 256;

    /// <summary>Ids are given as float32, which counts so far without a gap.</summary>
    private const int MostColumns = 1 << 24;

    /// <summary>Values that a row of the result has.</summary>
    public static int Width(int k) => (2 * k) + 2;

    /// <summary>
    /// <paramref name="logits"/> is [rows, columns], <paramref name="scales"/> [rows] the bits of a float32 each, 0 where no second sum is wanted.
    /// <paramref name="into"/> is [rows, 2k + 2]: k values, their k ids as numbers, the sum, the sum with the scale. The sums mean nothing where the
    /// largest is not finite.
    /// </summary>
    public static unsafe void TopK(this OpStream ops, Matrix logits, int k, Ints scales, Matrix into)
    {
        Debug.Assert(k is > 0 and <= MostK && k <= logits.Columns && logits.Columns <= MostColumns, "top k: k or the row is too large");
        Debug.Assert(scales.Length == logits.Rows && into.Rows == logits.Rows && into.Columns == Width(k), "top k: shapes differ");
        if (ops.Gpu is not null)
        {
            RunGpu(ops.Gpu, logits, k, scales, into);
            return;
        }
        if (ops.Device.Isa == Isa.Reference)
        {
            Reference(logits, k, scales.Host, into);
            return;
        }
        fixed (int* first = scales.Host)
        {
            var job = new Job(logits, k, (float*)first, into);
            ops.Deal(logits.Rows, 16L * logits.Rows * logits.Columns, ref job);
        }
    }

    /// <summary>Bytes of scratch memory that a GPU needs beside the result.</summary>
    public static long ScratchBytes(long rows, int columns, int k)
    {
        var bytes = rows * Parts(columns) * SumsAPart * sizeof(float);
        for (var length = columns; length > PartSize; length = Chosen(length, k)) bytes += rows * Parts(length) * 2 * k * sizeof(float);
        return bytes + (rows * 2 * k * sizeof(float));
    }

    /// <summary>A whole number for each value, larger where the value comes first. No value has 0.</summary>
    internal static uint Key(uint bits)
    {
        if ((bits & 0x7FFFFFFF) > 0x7F800000) return 0xFFFFFFFF;
        return (bits & 0x80000000) != 0 ? ~bits : bits | 0x80000000;
    }

    /// <summary>The bits of the value that has this number; of any that is no number, one.</summary>
    internal static uint Bits(uint key) => (key & 0x80000000) != 0 ? key & 0x7FFFFFFF : ~key;

    private readonly unsafe struct Job(Matrix logits, int k, float* scales, Matrix into) : IJob
    {
        public void Execute(int row)
        {
            var x = logits.Row(row);
            var y = into.Row(row);
            var values = y[..k];
            var ids = y.Slice(k, k);
            Span<uint> keys = stackalloc uint[k];
            var count = 0;
            for (var id = 0; id < x.Length; id++)
            {
                var key = Key(BitConverter.SingleToUInt32Bits(x[id]));
                if (count == k && key <= keys[^1]) continue;
                var place = count < k ? count++ : k - 1;
                for (; place > 0 && keys[place - 1] < key; place--)
                    (keys[place], values[place], ids[place]) = (keys[place - 1], values[place - 1], ids[place - 1]);
                (keys[place], values[place], ids[place]) = (key, x[id], id);
            }
            var (sum, scaled) = (0.0, 0.0);
            var (largest, scale) = (values[0], scales[row]);
            if (float.IsFinite(largest))
            {
                foreach (var value in x)
                {
                    sum += Math.Exp(value - largest);
                    if (scale != 0) scaled += Math.Exp((value - largest) * scale);
                }
            }
            (y[2 * k], y[(2 * k) + 1]) = ((float)sum, (float)scaled);
        }
    }
}
