using System.Buffers;
using System.Numerics;
using Quilt.Formats.Numerics;

namespace Quilt.Formats.Checkpoints.Storage;

/// <summary>
/// Some rows and columns of a module, as one of several devices holds them. Nothing but what is asked for stays in memory: of rows that are cut by
/// columns a batch is read whole, and the rest of it dropped.
/// </summary>
/// <remarks>
/// A cut inside a block or group of columns makes smaller ones: each has the scale (and zero point) of the one that it was cut from, so that every
/// number is what it was. Columns in an order of their own keep all groups of the whole.
/// </remarks>
internal sealed class ModulePart : StoredModule
{
    private readonly StoredModule whole;
    private readonly int firstRow;
    private readonly int firstColumn;
    private readonly int[]? groupOfColumn;

    /// <summary>Rows and columns from the first ones on.</summary>
    /// <exception cref="BadInputException">It is packed, or its groups of columns, in an order of their own, cannot be cut so.</exception>
    public ModulePart(StoredModule whole, int firstRow, int rows, int firstColumn, int columns) : base(whole, rows, columns)
    {
        (this.whole, this.firstRow, this.firstColumn) = (whole, firstRow, firstColumn);
        var form = whole.Form;
        if (whole.Tiles is not null) throw Uncut("it is no packed model: take the folder that it was packed from");
        if (columns != whole.Columns && whole.ReadGroupIndex() is { } groups)
            groupOfColumn = groups.AsSpan(firstColumn, columns).ToArray();
        Form = form with { ScaleRows = Finer(form.ScaleRows, firstRow, rows), GroupColumns = GroupsOf(form) };
    }

    public override string Scheme => whole.Scheme;

    internal override RowForm Form { get; }

    internal override int CodeBits => whole.CodeBits;

    // Integers come in whole words.
    internal override int RowBytes => IsWhole ? whole.RowBytes
        : Form.Codes is CodeType.Int4 or CodeType.Int8 ? 4 * checked((int)PackedInt.Words(Form.Bits, Columns))
        : checked(Columns * Form.Bits / 8);

    private bool IsWhole => Columns == whole.Columns;

    internal override void ReadRows(int first, Span<byte> into)
    {
        if (IsWhole)
        {
            whole.ReadRows(firstRow + first, into);
            return;
        }
        var (rowBytes, wholeBytes) = (RowBytes, whole.RowBytes);
        var (start, length) = (checked((int)((long)firstColumn * Form.Bits / 8)), (int)(((long)Columns * Form.Bits + 7) / 8));
        var count = into.Length / rowBytes;
        var rows = ArrayPool<byte>.Shared.Rent(checked(count * wholeBytes));
        try
        {
            whole.ReadRows(firstRow + first, rows.AsSpan(0, count * wholeBytes));
            for (var row = 0; row < count; row++)
                Copy(rows.AsSpan((row * wholeBytes) + start, wholeBytes - start), into.Slice(row * rowBytes, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rows);
        }
    }

    internal override void ReadScales(Span<float> into)
    {
        var scales = new float[whole.ScaleCount];
        whole.ReadScales(scales);
        Pick<float>(scales, whole.Form.ScaleRows, Form.ScaleRows, into);
    }

    internal override sbyte[]? ReadZeroPoints()
    {
        if (whole.ReadZeroPoints() is not { } zeros) return null;
        var picked = new sbyte[checked(Rows * Form.Groups(Columns))];
        Pick<sbyte>(zeros, 1, 1, picked);
        return picked;
    }

    internal override int[]? ReadGroupIndex() => IsWhole ? whole.ReadGroupIndex() : groupOfColumn;

    internal override float[] Dequantize()
    {
        var (all, values) = (whole.Dequantize(), new float[checked(Rows * Columns)]);
        for (var row = 0; row < Rows; row++)
            all.AsSpan(((firstRow + row) * whole.Columns) + firstColumn, Columns).CopyTo(values.AsSpan(row * Columns));
        return values;
    }

    // Codes of four bits may begin in the middle of a byte.
    private void Copy(ReadOnlySpan<byte> from, Span<byte> to)
    {
        if ((long)firstColumn * Form.Bits % 8 == 0)
        {
            from[..to.Length].CopyTo(to);
            return;
        }
        for (var i = 0; i < to.Length; i++) to[i] = (byte)((from[i] >> 4) | (i + 1 < from.Length ? from[i + 1] << 4 : 0));
    }

    /// <summary>[rows / step, groups] of this part out of the same of the whole, a line of which is <paramref name="wholeStep"/> rows.</summary>
    private void Pick<T>(ReadOnlySpan<T> from, int wholeStep, int step, Span<T> into)
    {
        var (across, wholeAcross) = (Form.Groups(Columns), whole.Form.Groups(whole.Columns));
        for (var (row, i) = (0, 0); row < Rows; row += step)
        {
            var line = from.Slice((firstRow + row) / wholeStep * wholeAcross, wholeAcross);
            for (var group = 0; group < across; group++, i++)
                into[i] = line[groupOfColumn is not null ? group : (firstColumn + (group * Form.GroupColumns)) / whole.Form.GroupColumns];
        }
    }

    private int GroupsOf(RowForm form)
    {
        if (groupOfColumn is null) return Finer(form.GroupColumns, firstColumn, Columns);
        // All groups of the whole, of which this part has fewer columns each.
        var groups = form.Groups(whole.Columns);
        var size = Math.Max(1, (Columns + groups - 1) / groups);
        return (form with { GroupColumns = size }).Groups(Columns) == groups
            ? size
            : throw Uncut($"its {groups} groups, whose columns are in an order of their own, divide {Columns} columns");
    }

    // What divides both the groups and the place of the cut; no more than there is.
    private static int Finer(int group, int first, int count) =>
        Math.Min((int)BigInteger.GreatestCommonDivisor(group, first), Math.Max(1, count));

    private BadInputException Uncut(string expected) => new(whole.Tensors.Count > 0 ? whole.Tensors[0].File : Name, Name,
        $"expected a module that can be cut at column {firstColumn} of {whole.Columns}, where {expected}, found {whole.Scheme}");
}
