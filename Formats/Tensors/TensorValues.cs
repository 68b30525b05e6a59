using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using Quilt.Formats.Numerics;

namespace Quilt.Formats.Tensors;

/// <summary>Stored elements as float32 or int64 arrays: for small tensors, tests and tools; weights stay as they are stored.</summary>
internal static class TensorValues
{
    public static float[] ReadFloats(SafeTensorsFile file, TensorEntry entry)
    {
        if (!IsFloat(entry.Type)) throw new BadInputException(entry.File, entry.Name, $"floating point expected, found {entry.Type.FileName()}");
        var values = new float[Count(entry)];
        ToFloats(entry.Type, Bytes(file, entry), values);
        return values;
    }

    public static long[] ReadIntegers(SafeTensorsFile file, TensorEntry entry)
    {
        var size = entry.Type.BitSize() / 8;
        if (entry.Type is not (DType.Bool or DType.U8 or DType.I8 or DType.I16 or DType.U16 or DType.I32 or DType.U32 or DType.I64 or DType.U64))
            throw new BadInputException(entry.File, entry.Name, $"integers expected, found {entry.Type.FileName()}");
        var values = new long[Count(entry)];
        var bytes = Bytes(file, entry).AsSpan();
        for (var i = 0; i < values.Length; i++)
        {
            var b = bytes[(i * size)..];
            values[i] = entry.Type switch
            {
                DType.I8 => (sbyte)b[0],
                DType.I16 => BinaryPrimitives.ReadInt16LittleEndian(b),
                DType.U16 => BinaryPrimitives.ReadUInt16LittleEndian(b),
                DType.I32 => BinaryPrimitives.ReadInt32LittleEndian(b),
                DType.U32 => BinaryPrimitives.ReadUInt32LittleEndian(b),
                DType.I64 or DType.U64 => BinaryPrimitives.ReadInt64LittleEndian(b),
                _ => b[0],
            };
            if (entry.Type == DType.U64 && values[i] < 0) throw new BadInputException(entry.File, entry.Name, "holds a number above 2^63");
        }
        return values;
    }

    /// <summary>Whether <see cref="ToFloats"/> knows the type.</summary>
    public static bool IsFloat(DType type) => type is DType.F32 or DType.BF16 or DType.F16 or DType.F64 or DType.F8E4M3;

    /// <summary>Little-endian elements to float32; <paramref name="into"/> decides how many.</summary>
    public static void ToFloats(DType type, ReadOnlySpan<byte> bytes, Span<float> into)
    {
        switch (type)
        {
            case DType.F32 when BitConverter.IsLittleEndian:
                MemoryMarshal.Cast<byte, float>(bytes)[..into.Length].CopyTo(into);
                break;
            case DType.F32:
                for (var i = 0; i < into.Length; i++) into[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes[(i * 4)..]);
                break;
            case DType.BF16:
                Widen(bytes, into);
                break;
            case DType.F16:
                for (var i = 0; i < into.Length; i++) into[i] = (float)BinaryPrimitives.ReadHalfLittleEndian(bytes[(i * 2)..]);
                break;
            case DType.F64:
                for (var i = 0; i < into.Length; i++) into[i] = (float)BinaryPrimitives.ReadDoubleLittleEndian(bytes[(i * 8)..]);
                break;
            case DType.F8E4M3:
                for (var i = 0; i < into.Length; i++) into[i] = Float8E4M3.Decode(bytes[i]);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "not a floating point type");
        }
    }

    // bfloat16 is the upper half of a float32.
    private static void Widen(ReadOnlySpan<byte> bytes, Span<float> into)
    {
        var i = 0;
        if (BitConverter.IsLittleEndian)
        {
            var halves = MemoryMarshal.Cast<byte, ushort>(bytes)[..into.Length];
            var words = MemoryMarshal.Cast<float, uint>(into);
            for (; i <= words.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
            {
                Vector.Widen(new Vector<ushort>(halves[i..]), out var low, out var high);
                (low << 16).CopyTo(words[i..]);
                (high << 16).CopyTo(words[(i + Vector<uint>.Count)..]);
            }
        }
        for (; i < into.Length; i++) into[i] = (float)new BFloat16(BinaryPrimitives.ReadUInt16LittleEndian(bytes[(i * 2)..]));
    }

    private static int Count(TensorEntry entry)
    {
        if (entry.Elements > Array.MaxLength || entry.Length > Array.MaxLength)
            throw new BadInputException(entry.File, entry.Name, $"{entry.ShapeText} is too large to be read as one array");
        return (int)entry.Elements;
    }

    private static byte[] Bytes(SafeTensorsFile file, TensorEntry entry)
    {
        var bytes = new byte[entry.Length];
        file.Read(entry, bytes);
        return bytes;
    }
}
