using System.Runtime.InteropServices;
using Quilt.Formats;
using Quilt.Formats.Checkpoints.Storage;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Numerics;

namespace Quilt.Quantizer.Plan;

/// <summary>
/// The values of a weight [rows, columns], read by rows as float32 that its dtype holds without loss. Reading is safe from several threads.
/// </summary>
/// <param name="name">The tensor, for messages.</param>
/// <param name="origin">The file it is from, for messages.</param>
/// <param name="type">BF16, F16 or F32: what the arithmetic on it is done in.</param>
/// <param name="rows">Outputs.</param>
/// <param name="columns">Inputs.</param>
/// <param name="read">What reads whole rows from one on.</param>
internal sealed class WeightRows(string name, string origin, DType type, int rows, int columns, WeightRows.RowReader read)
{
    /// <summary>Fills <paramref name="into"/> with whole rows, from <paramref name="first"/> on.</summary>
    public delegate void RowReader(int first, Span<float> into);

    /// <summary>BF16, F16 or F32.</summary>
    public DType Type => type;

    /// <summary>Outputs.</summary>
    public int Rows => rows;

    /// <summary>Inputs.</summary>
    public int Columns => columns;

    /// <summary>Whether reading any row costs as much as reading all.</summary>
    public bool IsScattered { get; init; }

    /// <summary>Fills <paramref name="into"/> with whole rows, from <paramref name="first"/> on.</summary>
    /// <exception cref="BadInputException">A value is not finite; or the file has become shorter, or the disk failed.</exception>
    public void Read(int first, Span<float> into)
    {
        read(first, into);
        var bad = FiniteFloats.IndexOfBad(into);
        if (bad >= 0)
        {
            throw Bad(FormattableString.Invariant(
                $"expected finite values, found {into[bad]} at [{first + (bad / columns)}, {bad % columns}]"));
        }
    }

    /// <summary>The same weight with other values.</summary>
    public WeightRows Changed(RowReader values) => new(name, origin, type, rows, columns, values) { IsScattered = IsScattered };

    /// <summary>A complaint about this weight.</summary>
    public BadInputException Bad(string problem) => new(origin, name, problem);

    /// <summary>A weight that is at hand.</summary>
    /// <param name="name">The tensor, for messages.</param>
    /// <param name="values">[rows, columns].</param>
    /// <param name="columns">Inputs.</param>
    public static WeightRows Of(string name, ReadOnlyMemory<BFloat16> values, int columns) =>
        new(name, "computed", DType.BF16, values.Length / columns, columns, (first, into) =>
            TensorValues.ToFloats(DType.BF16, MemoryMarshal.AsBytes(values.Span.Slice(first * columns, into.Length)), into));

    /// <summary>
    /// A weight as a checkpoint has it: plain ones in their own dtype; others as their reference dequantizes them, in float32 with one rounding to
    /// bfloat16 (code · scale).
    /// </summary>
    /// <exception cref="BadInputException">Its scales or zero points are not what they must be.</exception>
    public static WeightRows Of(StoredModule module) => new StoredRows(module).ToWeight();
}
