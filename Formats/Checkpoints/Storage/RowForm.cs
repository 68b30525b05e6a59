using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints.Storage;

/// <summary>What a code of a weight is.</summary>
internal enum CodeType
{
    /// <summary>bfloat16.</summary>
    BFloat16,

    /// <summary>IEEE half.</summary>
    Float16,

    /// <summary>IEEE single.</summary>
    Float32,

    /// <summary>float8 E4M3.</summary>
    Float8,

    /// <summary>An integer of 4 bits, offset binary: 0 is −8.</summary>
    Int4,

    /// <summary>An integer of 8 bits, offset binary: 0 is −128.</summary>
    Int8,
}

/// <summary>
/// What the rows of a weight are made of, whatever its files call it: all that must be known to choose what holds it. Modules of one form can be held
/// together.
/// </summary>
/// <param name="Codes">What a code is.</param>
/// <param name="GroupColumns">Columns of a row that share a scale, the last group perhaps fewer; all of them where there are no scales.</param>
/// <param name="ScaleRows">Rows that share their scales.</param>
/// <param name="Scales">BF16 or F32, which holds every scale without loss; null: codes are values.</param>
/// <param name="ZeroPoints">Whether each group of a row has a zero point of its own.</param>
internal sealed record RowForm(CodeType Codes, int GroupColumns, int ScaleRows = 1, DType? Scales = null, bool ZeroPoints = false)
{
    /// <summary>Bits of a code.</summary>
    public int Bits => Codes switch { CodeType.Float32 => 32, CodeType.BFloat16 or CodeType.Float16 => 16, CodeType.Int4 => 4, _ => 8 };

    /// <summary>Groups of a row of so many columns.</summary>
    public int Groups(int columns) => (columns / GroupColumns) + (columns % GroupColumns == 0 ? 0 : 1);
}
