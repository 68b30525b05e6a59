using Quilt.Formats.Checkpoints;
using Quilt.Formats.Checkpoints.Storage;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Output;
using Quilt.Quantizer.Recipes;

namespace Quilt.Quantizer.Plan;

/// <summary>How a module is stored already, in the words of a recipe.</summary>
internal static class StoredScheme
{
    private const int UsualBlock = 128;

    /// <summary>The scheme; null: plain numbers.</summary>
    /// <param name="module">The module.</param>
    /// <param name="told">What its config says of it, which decides where one scale a row may be called two things.</param>
    /// <param name="problem">Why it is none that can be kept.</param>
    public static WeightScheme? Of(StoredModule module, QuantArgs? told, out string? problem)
    {
        problem = null;
        var form = module.Form;
        if (form.Scales is null) return null;
        if (form.Codes == CodeType.Float8)
        {
            var scale = module.Tensors[1];
            if (scale.Type is not (DType.F32 or DType.BF16 or DType.F16)) problem = $"is stored as {module.Scheme}";
            return Float8(scale, form, module.Rows, module.Columns);
        }
        // Codes of other widths are read as four or eight bits.
        if (module.Tensors[0].Shape[1] != PackedInt.Words(form.Bits, module.Columns)) problem = $"is stored as {module.Scheme}";
        if (module.ReadGroupIndex() is not null) problem = $"is stored as {module.Scheme}, its columns in another order";
        return form.GroupColumns == module.Columns && told?.Strategy != "group"
            ? new(ScaleStrategy.Channel, false, form.Bits, !form.ZeroPoints)
            : new(ScaleStrategy.Group, false, form.Bits, !form.ZeroPoints, form.GroupColumns);
    }

    /// <summary>Whether two schemes store a matrix in the same tensors.</summary>
    public static bool Alike(WeightScheme? one, WeightScheme? other, int rows, int columns) => one is not null && other is not null
        && (one.IsFloat, one.Bits, one.Symmetric) == (other.IsFloat, other.Bits, other.Symmetric)
        && SchemeShape.Block(one, rows, columns) == SchemeShape.Block(other, rows, columns)
        && SchemeShape.Scales(one, rows, columns).AsSpan().SequenceEqual(SchemeShape.Scales(other, rows, columns));

    private static WeightScheme Float8(TensorEntry scale, RowForm form, int rows, int columns)
    {
        if (scale.Elements == 1)
        {
            // A matrix of one block has one scale in two dimensions.
            return scale.Shape.Length == 2 && rows <= UsualBlock && columns <= UsualBlock
                ? new(ScaleStrategy.Block, true, 8, BlockRows: UsualBlock, BlockColumns: UsualBlock)
                : new(ScaleStrategy.Tensor, true, 8);
        }
        return form.ScaleRows == 1 && form.GroupColumns == columns
            ? new(ScaleStrategy.Channel, true, 8)
            : new(ScaleStrategy.Block, true, 8, BlockRows: form.ScaleRows, BlockColumns: form.GroupColumns);
    }
}
