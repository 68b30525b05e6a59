namespace Quilt.Kernels.Ops.Vectors;

/// <summary>
/// Sixteen float32 in as many registers as the instruction set needs. Every operation acts on the same sixteen lanes and folds them in the same
/// order, so an algorithm written over this interface gives the same bits at every width.
/// </summary>
internal unsafe interface IVector16<TSelf> where TSelf : unmanaged, IVector16<TSelf>
{
    /// <summary>Hardware registers that one value takes: 1, 2 or 4.</summary>
    static abstract int Registers { get; }

    static abstract TSelf Broadcast(float value);

    static abstract TSelf Load(float* from);

    /// <summary>Sixteen bfloat16, widened: exact.</summary>
    static abstract TSelf LoadBFloat16(ushort* from);

    /// <summary>Sixteen bytes, each the low bits of its lane; the others are zero.</summary>
    static abstract TSelf LoadBytes(byte* from);

    /// <summary>Sixteen FP8 E4M3 codes, times 2^−120; as <see cref="Float8"/>.</summary>
    static abstract TSelf LoadFloat8(byte* from);

    static abstract void Store(TSelf value, float* to);

    /// <summary>The lowest byte of each lane's bits.</summary>
    static abstract void StoreBytes(TSelf bits, byte* to);

    static abstract TSelf operator +(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf left, TSelf right);

    static abstract TSelf operator *(TSelf left, TSelf right);

    static abstract TSelf operator /(TSelf left, TSelf right);

    /// <summary>a · b + c, rounded once.</summary>
    static abstract TSelf Fma(TSelf a, TSelf b, TSelf c);

    /// <summary>The larger of each lane; a NaN in <paramref name="right"/> stays.</summary>
    static abstract TSelf Max(TSelf left, TSelf right);

    /// <summary>The smaller of each lane; a NaN in <paramref name="right"/> stays.</summary>
    static abstract TSelf Min(TSelf left, TSelf right);

    /// <summary>2 to the integer in the lowest nine bits of each lane (n + 1.5 · 2^23 as float32); 0 for n = −127.</summary>
    static abstract TSelf PowerOfTwo(TSelf magic);

    /// <summary>The bits of each lane, moved up.</summary>
    static abstract TSelf ShiftLeft(TSelf bits, int count);

    /// <summary>The bits of each lane, moved down, zeros from above.</summary>
    static abstract TSelf ShiftRight(TSelf bits, int count);

    /// <summary>The bits of each lane that <paramref name="mask"/> has too.</summary>
    static abstract TSelf And(TSelf bits, uint mask);

    /// <summary>The bits that either has.</summary>
    static abstract TSelf Or(TSelf left, TSelf right);

    /// <summary>
    /// A field of each lane's bits as a number, minus <paramref name="offset"/>, which is 2^23 + the field's zero: the field becomes the low bits of
    /// the float 2^23, whose last bit is worth 1, so one exact subtraction takes the place of a conversion.
    /// </summary>
    static abstract TSelf Field(TSelf bits, int shift, uint mask, TSelf offset);

    /// <summary>
    /// The FP8 E4M3 code in byte <paramref name="n"/> of each lane, times 2^−120: exponent and mantissa moved under those of a float. Exact,
    /// subnormals included.
    /// </summary>
    static abstract TSelf Float8(TSelf bits, int n);

    /// <summary>The float16 in half <paramref name="n"/> of each lane, finite, times 2^−112; as <see cref="Float8"/>.</summary>
    static abstract TSelf Float16(TSelf bits, int n);

    /// <summary>Sum of all lanes: lane i with i + 8, then i + 4, i + 2, i + 1.</summary>
    static abstract float Sum(TSelf value);

    /// <summary>Largest lane.</summary>
    static abstract float MaxLane(TSelf value);
}
