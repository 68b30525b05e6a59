using Quilt.Formats.Checkpoints.Storage;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Plan;

namespace Quilt.Quantizer.Awq;

/// <summary>A stored weight times a number a column and over a number a row, rounded once to its dtype; computed as it is read.</summary>
internal static class ScaledRows
{
    /// <summary>W[n, k] · columns[k] / rows[n].</summary>
    /// <param name="module">W.</param>
    /// <param name="columns">[columns]; null: ones.</param>
    /// <param name="rows">[rows]; null: ones.</param>
    public static WeightRows Of(StoredModule module, float[]? columns, float[]? rows)
    {
        var source = WeightRows.Of(module);
        return source.Changed((first, into) =>
        {
            source.Read(first, into);
            for (var i = 0; i < into.Length; i++)
            {
                var value = into[i];
                if (columns is not null) value *= columns[i % source.Columns];
                if (rows is not null) value /= rows[first + (i / source.Columns)];
                into[i] = Round(source.Type, value);
            }
        });
    }

    private static float Round(DType type, float value) =>
        type switch { DType.BF16 => BFloat16.Round(value), DType.F16 => (float)(Half)value, _ => value };
}
