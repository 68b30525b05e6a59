namespace Quilt.Formats.Tensors;

/// <summary>Element types a safetensors file may hold, in the format's own order (a writer lays tensors out by it, last first).</summary>
public enum DType
{
    /// <summary>One byte, 0 or 1.</summary>
    Bool,
    /// <summary>4-bit float E2M1, two in a byte.</summary>
    F4,
    /// <summary>6-bit float E2M3.</summary>
    F6E2M3,
    /// <summary>6-bit float E3M2.</summary>
    F6E3M2,
    /// <summary>Unsigned 8 bits.</summary>
    U8,
    /// <summary>Signed 8 bits.</summary>
    I8,
    /// <summary>8-bit float E5M2.</summary>
    F8E5M2,
    /// <summary>8-bit float E4M3, finite variant (torch float8_e4m3fn).</summary>
    F8E4M3,
    /// <summary>8-bit exponent only, a power of two.</summary>
    F8E8M0,
    /// <summary>8-bit float E4M3 without negative zero.</summary>
    F8E4M3Fnuz,
    /// <summary>8-bit float E5M2 without negative zero.</summary>
    F8E5M2Fnuz,
    /// <summary>Signed 16 bits.</summary>
    I16,
    /// <summary>Unsigned 16 bits.</summary>
    U16,
    /// <summary>IEEE half.</summary>
    F16,
    /// <summary>bfloat16.</summary>
    BF16,
    /// <summary>Signed 32 bits.</summary>
    I32,
    /// <summary>Unsigned 32 bits.</summary>
    U32,
    /// <summary>IEEE single.</summary>
    F32,
    /// <summary>Two singles, a complex number.</summary>
    C64,
    /// <summary>IEEE double.</summary>
    F64,
    /// <summary>Signed 64 bits.</summary>
    I64,
    /// <summary>Unsigned 64 bits.</summary>
    U64,
}

/// <summary>What the files call each type, and how many bits an element takes.</summary>
public static class DTypes
{
    private static readonly string[] Names =
    [
        "BOOL", "F4", "F6_E2M3", "F6_E3M2", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ",
        "I16", "U16", "F16", "BF16", "I32", "U32", "F32", "C64", "F64", "I64", "U64",
    ];

    private static readonly byte[] Bits = [8, 4, 6, 6, 8, 8, 8, 8, 8, 8, 8, 16, 16, 16, 16, 32, 32, 32, 64, 64, 64, 64];

    private static readonly Dictionary<string, DType> ByName = Names.Select((name, i) => (name, (DType)i)).ToDictionary(p => p.name, p => p.Item2);

    /// <summary>The name in a file, for example F8_E4M3.</summary>
    public static string FileName(this DType type) => Names[(int)type];

    /// <summary>Bits of one element: 4 to 64.</summary>
    public static int BitSize(this DType type) => Bits[(int)type];

    /// <summary>The type a file means by <paramref name="name"/>; false where the format knows no such type.</summary>
    public static bool TryParse(string name, out DType type) => ByName.TryGetValue(name, out type);
}
