using System.Buffers;
using System.Runtime.InteropServices;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints.Storage;

/// <summary>
/// Integer codes packed in 32-bit words, compressed-tensors' pack-quantized: <c>weight_packed</c> I32 [rows, words], <c>weight_scale</c> [rows,
/// groups], perhaps <c>weight_zero_point</c> I32 [row words, groups] packed along rows, and <c>weight_g_idx</c> I32 [columns], the group of each
/// column. Value = (code − zero point) · scale (docs/checkpoints.md, "Packed integers").
/// </summary>
internal sealed class PackedIntModule : StoredModule
{
    private readonly TensorEntry packed;
    private readonly TensorEntry scale;
    private readonly TensorEntry? zero;
    private readonly TensorEntry? index;
    private readonly PackedLayout layout;
    private readonly bool symmetric;
    private readonly int group;
    private readonly TensorTable table;

    private PackedIntModule(ModuleTensors module, PackedIntTensors tensors) : base(module, tensors.Packed, tensors.Scale, tensors.Zero, tensors.Index)
    {
        (packed, scale, zero, index) = (tensors.Packed, tensors.Scale, tensors.Zero, tensors.Index);
        (layout, symmetric, group, table) = (tensors.Layout, tensors.Symmetric, tensors.Group, module.Table);
    }

    /// <summary>What recognizes it.</summary>
    public static StorageReader Reader { get; } = new("weight_packed as I32 with weight_scale", ["pack-quantized"],
        module => PackedIntTensors.TryRead(module) is { } tensors ? new PackedIntModule(module, tensors) : null);

    public override string Scheme =>
        $"int{layout.Bits} g{group}{(symmetric ? "" : " asymmetric")}{(index is null ? "" : " reordered")}";

    // Codes of fewer bits are held in four or eight.
    internal override RowForm Form => new(layout.Bits <= 4 ? CodeType.Int4 : CodeType.Int8, group, 1,
        scale.Type == DType.BF16 ? DType.BF16 : DType.F32, !symmetric);     // float16 has more mantissa than bfloat16 keeps

    internal override int CodeBits => layout.Bits;

    internal override int RowBytes => 4 * checked((int)PackedInt.Words(Form.Bits, Columns));

    private int StoredRowBytes => 4 * checked((int)packed.Shape[1]);

    internal override void ReadRows(int first, Span<byte> into)
    {
        if (layout.Bits == Form.Bits)
        {
            Read(packed, into, (long)first * RowBytes);
            return;
        }
        var count = into.Length / RowBytes;
        var stored = ArrayPool<byte>.Shared.Rent(checked(count * StoredRowBytes));
        var codes = ArrayPool<uint>.Shared.Rent(Columns);
        try
        {
            Read(packed, stored.AsSpan(0, count * StoredRowBytes), (long)first * StoredRowBytes);
            for (var row = 0; row < count; row++)
            {
                PackedInt.UnpackUnsigned(MemoryMarshal.Cast<byte, int>(stored.AsSpan(row * StoredRowBytes, StoredRowBytes)),
                    codes.AsSpan(0, Columns), layout.Bits, layout.Dense);
                Widen(codes.AsSpan(0, Columns), MemoryMarshal.Cast<byte, uint>(into.Slice(row * RowBytes, RowBytes)));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(stored);
            ArrayPool<uint>.Shared.Return(codes);
        }
    }

    internal override void ReadScales(Span<float> into) => ScaleValues.Read(scale, table, into);

    internal override sbyte[]? ReadZeroPoints()
    {
        if (zero is null) return null;
        var words = new int[zero.Elements];
        Read(zero, MemoryMarshal.AsBytes(words.AsSpan()));
        var codes = PackedInt.UnpackRows(words, Rows, (int)zero.Shape[1], layout.Bits, layout.Dense);
        if (!symmetric) return codes;
        var bad = codes.AsSpan().IndexOfAnyExcept((sbyte)0);
        if (bad >= 0)
            throw ModuleTensors.Bad(zero, $"expected no zero points, as the config says symmetric, found {codes[bad]} at index {bad}");
        return null;
    }

    internal override int[]? ReadGroupIndex()
    {
        if (index is null) return null;
        var groups = new int[Columns];
        Read(index, MemoryMarshal.AsBytes(groups.AsSpan()));
        if (groups.Contains(-1)) return null;     // written, never filled in
        var count = Form.Groups(Columns);
        var bad = Array.FindIndex(groups, g => g < 0 || g >= count);
        return bad < 0 ? groups : throw ModuleTensors.Bad(index, $"expected groups from 0 to {count - 1}, found {groups[bad]} at index {bad}");
    }

    internal override float[] Dequantize()
    {
        var words = new int[packed.Elements];
        Read(packed, MemoryMarshal.AsBytes(words.AsSpan()));
        var codes = PackedInt.Unpack(words, Rows, Columns, layout.Bits, layout.Dense);
        var (scales, zeros, groups, across) = (AllScales(), ReadZeroPoints(), ReadGroupIndex(), Form.Groups(Columns));
        var values = new float[codes.Length];
        for (var (row, i) = (0, 0); row < Rows; row++)
        {
            for (var column = 0; column < Columns; column++, i++)
            {
                var at = (row * across) + (groups is null ? column / group : groups[column]);
                values[i] = (codes[i] - (zeros is null ? 0 : zeros[at])) * scales[at];
            }
        }
        return values;
    }

    // Zero moves from the middle of the fewer codes to the middle of the more.
    private void Widen(ReadOnlySpan<uint> codes, Span<uint> words)
    {
        var (bits, perWord, shift) = (Form.Bits, 32 / Form.Bits, (1u << (Form.Bits - 1)) - (1u << (layout.Bits - 1)));
        words.Clear();
        for (var j = 0; j < codes.Length; j++) words[j / perWord] |= (codes[j] + shift) << (j % perWord * bits);
    }
}
