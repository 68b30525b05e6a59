using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints;

/// <summary>
/// Reads the tensors of a stored module, with a check of every value that could not have been meant: NaN codes, scales that are no finite number ≥ 0,
/// zero points where there are none.
/// </summary>
internal static class ModuleValues
{
    /// <summary>Codes or values as stored.</summary>
    /// <param name="checkpoint">Where the module is.</param>
    /// <param name="module">The module.</param>
    /// <param name="into">Receives whole elements.</param>
    /// <param name="start">First byte of the tensor to read.</param>
    /// <exception cref="BadInputException">A float is NaN or infinite.</exception>
    public static void ReadWeight(Checkpoint checkpoint, StoredModule module, Span<byte> into, long start = 0)
    {
        checkpoint.Read(module.Weight, into, start);
        if (module.Scheme is QuantScheme.PackedInt) return;
        var size = module.Weight.Type.BitSize() / 8;
        var bad = module.Weight.Type switch
        {
            DType.F8E4M3 => Float8E4M3.IndexOfNaN(into),
            DType.F32 => FirstAllOnes(MemoryMarshal.Cast<byte, uint>(into), 0x7F80_0000u),
            DType.BF16 => FirstAllOnes(MemoryMarshal.Cast<byte, ushort>(into), (ushort)0x7F80),
            _ => FirstAllOnes(MemoryMarshal.Cast<byte, ushort>(into), (ushort)0x7C00),
        };
        if (bad < 0) return;
        var at = (start / size) + bad;
        throw new BadInputException(module.Weight.File, module.Weight.Name,
            $"expected finite values, found NaN or infinity (0x{Convert.ToHexString(into.Slice(bad * size, size))}) at [{at / module.Columns}, " +
            $"{at % module.Columns}]");
    }

    // A float is no finite number exactly where all bits of its exponent are set.
    private static int FirstAllOnes<T>(ReadOnlySpan<T> values, T exponent) where T : unmanaged, IBinaryInteger<T>
    {
        var mask = new Vector<T>(exponent);
        var i = 0;
        for (; i <= values.Length - Vector<T>.Count; i += Vector<T>.Count)
        {
            if (Vector.EqualsAny(new Vector<T>(values[i..]) & mask, mask)) break;
        }
        for (; i < values.Length; i++)
        {
            if ((values[i] & exponent) == exponent) return i;
        }
        return -1;
    }

    /// <summary>All scales as float32, in the tensor's order.</summary>
    /// <exception cref="BadInputException">One is negative, infinite or NaN.</exception>
    public static float[] ReadScales(Checkpoint checkpoint, StoredModule module)
    {
        var values = new float[module.Scale!.Elements];
        ReadScales(checkpoint, module, values);
        return values;
    }

    /// <summary>All scales as float32 into a span that is as long as the tensor.</summary>
    /// <exception cref="BadInputException">One is negative, infinite or NaN.</exception>
    public static void ReadScales(Checkpoint checkpoint, StoredModule module, Span<float> values)
    {
        var scale = module.Scale!;
        var rented = ArrayPool<byte>.Shared.Rent(checked((int)scale.Length));
        try
        {
            var bytes = rented.AsSpan(0, (int)scale.Length);
            checkpoint.Read(scale, bytes);
            TensorValues.ToFloats(scale.Type, bytes, values);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
        for (var i = 0; i < values.Length; i++)
        {
            if (!(values[i] >= 0 && float.IsFinite(values[i])))
                throw new BadInputException(scale.File, scale.Name,
                    FormattableString.Invariant($"expected finite scales, none negative, found {values[i]} at index {i}"));
        }
    }

    /// <summary>Zero points [rows, groups] as signed codes; null where the module has none.</summary>
    /// <exception cref="BadInputException">The module is symmetric and one is not zero.</exception>
    public static sbyte[]? ReadZeroPoints(Checkpoint checkpoint, StoredModule module)
    {
        if (module.ZeroPoint is not { } zero) return null;
        var scheme = (QuantScheme.PackedInt)module.Scheme;
        var words = new int[zero.Elements];
        checkpoint.Read(zero, MemoryMarshal.AsBytes(words.AsSpan()));
        var codes = PackedInt.UnpackRows(words, module.Rows, (int)zero.Shape[1], scheme.Bits, scheme.DenseWords);
        if (!scheme.Symmetric) return codes;
        var bad = codes.AsSpan().IndexOfAnyExcept((sbyte)0);
        if (bad >= 0)
            throw new BadInputException(zero.File, zero.Name,
                $"expected no zero points, as the config says symmetric, found {codes[bad]} at index {bad}");
        return null;
    }

    /// <summary>Group of each column; null for groups in the order of columns.</summary>
    /// <exception cref="BadInputException">An index is out of range.</exception>
    public static int[]? ReadGroupIndex(Checkpoint checkpoint, StoredModule module)
    {
        if (module.GroupIndex is not { } tensor) return null;
        var index = new int[module.Columns];
        checkpoint.Read(tensor, MemoryMarshal.AsBytes(index.AsSpan()));
        if (index.Contains(-1)) return null;     // written, never filled in
        var groups = Groups(module);
        var bad = Array.FindIndex(index, g => g < 0 || g >= groups);
        if (bad >= 0)
            throw new BadInputException(tensor.File, tensor.Name, $"expected groups from 0 to {groups - 1}, found {index[bad]} at index {bad}");
        return index;
    }

    /// <summary>Integer codes [rows, columns].</summary>
    public static sbyte[] ReadCodes(Checkpoint checkpoint, StoredModule module)
    {
        var scheme = (QuantScheme.PackedInt)module.Scheme;
        var words = new int[module.Weight.Elements];
        ReadWeight(checkpoint, module, MemoryMarshal.AsBytes(words.AsSpan()));
        return PackedInt.Unpack(words, module.Rows, module.Columns, scheme.Bits, scheme.DenseWords);
    }

    /// <summary>
    /// The weight in float32 [rows, columns]: each code times its scale in float32. The definition that every faster path is held to.
    /// </summary>
    public static float[] Dequantize(Checkpoint checkpoint, StoredModule module)
    {
        var values = new float[checked(module.Rows * module.Columns)];
        if (module.Scheme is QuantScheme.PackedInt)
        {
            DequantizePacked(checkpoint, module, values);
            return values;
        }
        var bytes = new byte[module.Weight.Length];
        ReadWeight(checkpoint, module, bytes);
        TensorValues.ToFloats(module.Weight.Type, bytes, values);
        if (module.Scheme is not QuantScheme.Fp8 scheme) return values;
        var scales = ReadScales(checkpoint, module);
        var across = (module.Columns + scheme.BlockColumns - 1) / scheme.BlockColumns;
        for (var i = 0; i < values.Length; i++)
            values[i] *= scales[(i / module.Columns / scheme.BlockRows * across) + (i % module.Columns / scheme.BlockColumns)];
        return values;
    }

    /// <summary>Scales in a row.</summary>
    public static int Groups(StoredModule module) =>
        module.Scheme is QuantScheme.PackedInt scheme ? (module.Columns + scheme.GroupSize - 1) / scheme.GroupSize : 1;

    private static void DequantizePacked(Checkpoint checkpoint, StoredModule module, float[] values)
    {
        var scheme = (QuantScheme.PackedInt)module.Scheme;
        var codes = ReadCodes(checkpoint, module);
        var scales = ReadScales(checkpoint, module);
        var zeros = ReadZeroPoints(checkpoint, module);
        var index = ReadGroupIndex(checkpoint, module);
        var groups = Groups(module);
        for (var i = 0; i < values.Length; i++)
        {
            var (row, column) = (i / module.Columns, i % module.Columns);
            var at = (row * groups) + (index?[column] ?? column / scheme.GroupSize);
            values[i] = (codes[i] - (zeros?[at] ?? 0)) * scales[at];
        }
    }
}
