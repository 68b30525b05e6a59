using System.Buffers;
using System.Runtime.InteropServices;
using Quilt.Formats;
using Quilt.Formats.Checkpoints.Storage;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Numerics;

namespace Quilt.Quantizer.Plan;

/// <summary>
/// Reads a stored weight by rows: value = (code − zero point) · scale in float32, rounded once to bfloat16 where codes are no values themselves.
/// Scales, zero points and the groups of columns are read once, when the first row is.
/// </summary>
internal sealed class StoredRows(StoredModule module)
{
    private readonly RowForm form = module.Form;
    private readonly DType type = module.Form.Codes switch { CodeType.Float32 => DType.F32, CodeType.Float16 => DType.F16, _ => DType.BF16 };
    private readonly Lazy<Scaling> scaling = new(() => Scaling.Read(module));

    /// <summary>It, as what can be quantized.</summary>
    public WeightRows ToWeight()
    {
        var first = module.Tensors[0];
        return new WeightRows(first.Label, first.File, type, module.Rows, module.Columns, Read) { IsScattered = module.IsScattered };
    }

    private void Read(int first, Span<float> into)
    {
        var count = into.Length / module.Columns;
        var bytes = ArrayPool<byte>.Shared.Rent(checked(count * module.RowBytes));
        try
        {
            var codes = bytes.AsSpan(0, count * module.RowBytes);
            module.ReadRows(first, codes);
            if (form.Scales is null)
            {
                TensorValues.ToFloats(type, codes, into);
                return;
            }
            for (var r = 0; r < count; r++)
                ReadRow(first + r, codes.Slice(r * module.RowBytes, module.RowBytes), into.Slice(r * module.Columns, module.Columns));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private void ReadRow(int row, ReadOnlySpan<byte> codes, Span<float> into)
    {
        var (scales, zeros, index) = scaling.Value;
        var groups = form.Groups(module.Columns);
        if (form.Codes == CodeType.Float8)
        {
            var table = Float8E4M3.Table;
            var line = scales.AsSpan(row / form.ScaleRows * groups, groups);
            for (var g = 0; g < groups; g++)
            {
                var (start, scale) = (g * form.GroupColumns, line[g]);
                var end = Math.Min(start + form.GroupColumns, into.Length);
                for (var c = start; c < end; c++) into[c] = BFloat16.Round(table[codes[c]] * scale);
            }
            return;
        }
        var unsigned = ArrayPool<uint>.Shared.Rent(into.Length);
        try
        {
            PackedInt.UnpackUnsigned(MemoryMarshal.Cast<byte, int>(codes), unsigned.AsSpan(0, into.Length), form.Bits);
            var middle = 1 << (form.Bits - 1);
            for (var c = 0; c < into.Length; c++)
            {
                var at = (row / form.ScaleRows * groups) + (index?[c] ?? c / form.GroupColumns);
                into[c] = BFloat16.Round(((int)unsigned[c] - middle - (zeros?[at] ?? 0)) * scales[at]);
            }
        }
        finally
        {
            ArrayPool<uint>.Shared.Return(unsigned);
        }
    }

    private sealed record Scaling(float[] Scales, sbyte[]? Zeros, int[]? Index)
    {
        public static Scaling Read(StoredModule module)
        {
            var scales = new float[module.ScaleCount];
            module.ReadScales(scales);
            return new(scales, module.ReadZeroPoints(), module.ReadGroupIndex());
        }
    }
}
