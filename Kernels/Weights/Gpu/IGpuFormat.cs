namespace Quilt.Kernels.Weights;

/// <summary>
/// How codes lie in a GPU tile, which is 16 rows by all columns. A tile is a row of chunks of 512 bytes, one for each load of a warp: lane l reads
/// the 16 bytes at 16 · l. Lane l = 4 · g + t holds rows g and g + 8, and of every sixteen columns (a step) the four columns 2t, 2t + 1, 2t + 8 and
/// 2t + 9: what one lane holds of the left operand of a 16 x 8 x 16 mma instruction, whose registers are r0 (row g, columns 2t, 2t + 1), r1 (row g
/// + 8, the same), r2 (row g, columns 2t + 8, 2t + 9) and r3. Below, <c>i</c> counts those four columns, and <c>half</c> is 0 for row g, 1 for row g
/// + 8.
/// </summary>
internal interface IGpuFormat
{
    /// <summary>Bits of a code.</summary>
    static abstract int Bits { get; }

    /// <summary>Steps of sixteen columns in a chunk. float32 has half a step: eight columns, of which a lane holds 2t and 2t + 1.</summary>
    static abstract int Steps { get; }

    /// <summary>Columns that a lane holds of a row in a step.</summary>
    static abstract int PerStep { get; }

    /// <summary>Which of a lane's four words holds a code.</summary>
    static abstract int Word(int step, int i, int half);

    /// <summary>The code's lowest bit in that word.</summary>
    static abstract int Shift(int step, int i, int half);

    /// <summary>A code as a float; for integers less <paramref name="zero"/>.</summary>
    static abstract float Value(uint code, float zero);

    /// <summary>Loads of sixteen bytes that hold a lane's part of 64 columns; 0 where the format has no form for mma instructions.</summary>
    static virtual int Loads => 0;

    /// <summary>
    /// Registers r0 to r3 of step 0 to 3 of 64 columns, two bfloat16 each, exact. Zeros are two bfloat16 −(128 + zero), of row g and of row g + 8;
    /// only integers have them.
    /// </summary>
    static virtual Words4 Registers(Words4 load0, Words4 load1, Words4 load2, Words4 load3, int step, uint zeroLow, uint zeroHigh) => default;
}
