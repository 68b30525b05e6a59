using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints.Storage;

/// <summary>The tensors of packed integers, checked against each other and against the config.</summary>
internal sealed record PackedIntTensors(TensorEntry Packed, TensorEntry Scale, TensorEntry? Zero, TensorEntry? Index, PackedLayout Layout, int Group,
    bool Symmetric)
{
    public static PackedIntTensors? TryRead(ModuleTensors module)
    {
        if (module.Find("weight_packed") is not { Type: DType.I32 } packed) return null;
        if (module.Find("weight") is { } weight) throw ModuleTensors.Bad(packed, $"stands beside {weight.Name}; expected one of them");
        if (packed.Shape.Length != 2 || packed.Shape[0] != module.Rows)
            throw ModuleTensors.Bad(packed, $"expected [{module.Rows}, words] for {module.Rows} x {module.Columns}, found {packed.ShapeText}");
        var scale = module.Find("weight_scale") ?? throw module.Missing("weight_scale", "expected this tensor beside weight_packed, found none");
        ScaleValues.CheckType(scale);

        if (module.Told is { IsFloat: true } floats)
            module.Warn(packed, $"{floats.Group} of the config says float codes, but it is stored as packed integers; taken as stored");
        else if (module.LeftAlone) module.Warn(packed, "the config leaves it alone, but it is stored as packed integers; taken as stored");
        var told = module.Told is { IsFloat: false } integers ? integers : null;

        var layout = PackedLayout.Of(packed, module.Columns, told);
        var group = GroupColumns(module, scale, told);
        var zero = module.Find("weight_zero_point");
        var symmetric = told?.Symmetric ?? zero is null;
        if (!symmetric && zero is null)
            throw module.Missing("weight_zero_point", $"expected this tensor, as {told!.Group} of the config is asymmetric, found none");
        if (zero is not null)
            Check(zero, layout.Words(module.Rows), new RowForm(CodeType.Int8, group).Groups(module.Columns));
        var index = module.Find("weight_g_idx");
        if (index is not null) Check(index, module.Columns);
        return new(packed, scale, zero, index, layout, group, symmetric);
    }

    // The number of scales of a row tells the size of a group; the config only where the last one is not full.
    private static int GroupColumns(ModuleTensors module, TensorEntry scale, QuantArgs? told)
    {
        var (rows, columns) = (module.Rows, module.Columns);
        var groups = scale.Shape switch
        {
            [var down] when down == rows => 1,
            [var down, var across] when down == rows && across > 0 => across,
            _ => throw Unfit(),
        };
        var wanted = told?.Strategy switch { "group" => told.GroupSize, "channel" => columns, _ => null };
        if (wanted is { } size && groups == new RowForm(CodeType.Int8, size).Groups(columns) && columns % Math.Min(size, columns) == 0)
            return Math.Min(size, columns);
        if (columns % groups != 0) throw Unfit();
        var found = (int)(columns / groups);
        if (wanted is not null)
            module.Warn(scale, $"{told!.Group} of the config says groups of {wanted}, but its shape means {found}; taken as stored");
        return found;

        BadInputException Unfit() =>
            ModuleTensors.Bad(scale, $"expected [{rows}, groups] with groups that divide {columns} columns, found {scale.ShapeText}");
    }

    private static void Check(TensorEntry tensor, params long[] shape)
    {
        if (tensor.Type != DType.I32 || !tensor.Shape.AsSpan().SequenceEqual(shape))
            throw ModuleTensors.Bad(tensor, $"expected I32 [{string.Join(", ", shape)}], found {tensor.Type.FileName()} {tensor.ShapeText}");
    }
}
