using Quilt.Formats.Checkpoints.Storage;
using Quilt.Quantizer.Numerics;
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
            for (var r = 0; r < into.Length / source.Columns; r++)
            {
                var row = into.Slice(r * source.Columns, source.Columns);
                ScaledRow.Run(source.Type, row, columns, rows is null ? 1 : rows[first + r], row);
            }
        });
    }
}
