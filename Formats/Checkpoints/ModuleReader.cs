using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints;

/// <summary>
/// Finds out how a module is stored. The suffixes and shapes of its tensors decide (specification: checkpoints.md 5.7); what the config says besides
/// is a warning where it contradicts them and an error where it asks for a tensor that is not there.
/// </summary>
internal sealed class ModuleReader(IReadOnlyDictionary<string, TensorEntry> tensors, QuantConfig config, string modelType, string folder,
    WarningList warnings)
{
    private const int DefaultBlock = 128;

    public StoredModule Read(string name, int rows, int columns)
    {
        var weight = Find(name, "weight");
        var packed = Find(name, "weight_packed");
        if (weight is not null && packed is not null)
            throw new BadInputException(weight.File, name, "has both weight and weight_packed; expected one of them");
        var told = config.HasTargets ? config.Find(TensorNames.Spellings(modelType, name)) : null;
        if (packed is not null) return ReadPacked(name, rows, columns, packed, told);
        if (weight is null) throw new BadInputException(folder, $"{name}.weight", "expected this tensor, or weight_packed, found neither");

        Shape(weight, rows, columns);
        if (weight.Type == DType.F8E4M3) return ReadFp8(name, rows, columns, weight, told);
        if (weight.Type is not (DType.F32 or DType.BF16 or DType.F16))
            throw new BadInputException(weight.File, weight.Name,
                $"expected F32, BF16, F16 or F8_E4M3, the types supported, found {weight.Type.FileName()}");
        if (told is not null)
            warnings.Add(name, $"{told.Group} of the config says it is quantized, but it is stored as {weight.Type.FileName()}; taken as stored");
        foreach (var suffix in (string[])["weight_scale", "weight_scale_inv"])
        {
            if (Find(name, suffix) is not null) warnings.Add(name, $"is stored as {weight.Type.FileName()} and has a {suffix}, which is ignored");
        }
        return new StoredModule(name, rows, columns, new QuantScheme.Dense(weight.Type), weight);
    }

    private StoredModule ReadFp8(string name, int rows, int columns, TensorEntry weight, QuantArgs? told)
    {
        var (inverse, plain) = (Find(name, "weight_scale_inv"), Find(name, "weight_scale"));
        if (inverse is not null && plain is not null)
            throw new BadInputException(weight.File, name, "has both weight_scale and weight_scale_inv; expected one of them");
        var scale = inverse ?? plain
            ?? throw new BadInputException(weight.File, weight.Name,
            $"is F8_E4M3 but has no scale; expected {name}.weight_scale_inv or weight_scale");
        ScaleType(scale);
        if (told is { IsFloat: false })
            warnings.Add(name, $"{told.Group} of the config says int{told.Bits}, but it is stored as F8_E4M3; taken as stored");
        else if (config.HasTargets && told is null) warnings.Add(name, "the config leaves it alone, but it is stored as F8_E4M3; taken as stored");

        var wanted = config.Fp8Block ?? (told is { IsFloat: true } ? told.Block : null);
        var (blockRows, blockColumns) = Block(scale, rows, columns, wanted);
        if (wanted is { } block && (blockRows, blockColumns) != block
            && (blockRows != Math.Min(block.Rows, rows) || blockColumns != Math.Min(block.Columns, columns)))
            warnings.Add(name,
                $"the config says blocks of {block.Rows}x{block.Columns}, but the scale means {blockRows}x{blockColumns}; taken as stored");
        return new StoredModule(name, rows, columns, new QuantScheme.Fp8(blockRows, blockColumns, scale.Type), weight, scale);
    }

    // The shape of the scale tells the strategy: one number, one a row, or one a block. The block's size is the config's if that fits, else 128, else
    // what divides.
    private static (int Rows, int Columns) Block(TensorEntry scale, int rows, int columns, (int Rows, int Columns)? wanted)
    {
        if (scale.Elements == 1) return (rows, columns);
        var (down, across) = scale.Shape.Length switch
        {
            1 => (scale.Shape[0], 1L),
            2 => (scale.Shape[0], scale.Shape[1]),
            _ => throw Unfit(),
        };
        foreach (var (r, c) in new[] { wanted ?? (DefaultBlock, DefaultBlock), (DefaultBlock, DefaultBlock) })
        {
            if (down == Parts(rows, r) && across == Parts(columns, c)) return (r, c);
        }
        if (down == rows && across == 1) return (1, columns);
        if (down == 0 || across == 0 || rows % down != 0 || columns % across != 0) throw Unfit();
        return ((int)(rows / down), (int)(columns / across));

        BadInputException Unfit() => new(scale.File, scale.Name,
            $"expected one scale, [{rows}, 1], or blocks of {wanted?.Rows ?? DefaultBlock}x{wanted?.Columns ?? DefaultBlock} " +
            $"([{Parts(rows, wanted?.Rows ?? DefaultBlock)}, {Parts(columns, wanted?.Columns ?? DefaultBlock)}]), found {scale.ShapeText}");
    }

    private StoredModule ReadPacked(string name, int rows, int columns, TensorEntry packed, QuantArgs? told)
    {
        if (packed.Type != DType.I32)
            throw new BadInputException(packed.File, packed.Name, $"expected I32, the only packing supported, found {packed.Type.FileName()}");
        if (packed.Shape.Length != 2 || packed.Shape[0] != rows)
            throw new BadInputException(packed.File, packed.Name, $"expected [{rows}, words] for {rows} x {columns}, found {packed.ShapeText}");
        var scale = Find(name, "weight_scale")
            ?? throw new BadInputException(packed.File, $"{name}.weight_scale", "expected this tensor beside weight_packed, found none");
        ScaleType(scale);

        if (told is { IsFloat: true })
            warnings.Add(name, $"{told.Group} of the config says float codes, but it is stored as packed integers; taken as stored");
        else if (config.HasTargets && told is null)
            warnings.Add(name, "the config leaves it alone, but it is stored as packed integers; taken as stored");
        if (told is { IsFloat: true }) told = null;

        var (bits, dense) = Bits(name, packed, columns, told);
        var group = Group(name, scale, rows, columns, told);
        var groups = Parts(columns, group);
        var index = Find(name, "weight_g_idx");
        if (index is not null && (index.Type != DType.I32 || index.Shape is not [var length] || length != columns))
            throw new BadInputException(index.File, index.Name, $"expected I32 [{columns}], found {index.Type.FileName()} {index.ShapeText}");

        var zero = Find(name, "weight_zero_point");
        var symmetric = told?.Symmetric ?? zero is null;
        if (!symmetric && zero is null)
            throw new BadInputException(packed.File, $"{name}.weight_zero_point",
                $"expected this tensor, as {told!.Group} of the config is asymmetric, found none");
        if (zero is not null)
        {
            var words = PackedInt.Words(bits, rows, dense);
            if (zero.Type != DType.I32 || zero.Shape is not [var down, var across] || down != words || across != groups)
                throw new BadInputException(zero.File, zero.Name, $"expected I32 [{words}, {groups}], found {zero.Type.FileName()} {zero.ShapeText}");
        }
        var scheme = new QuantScheme.PackedInt(bits, group, symmetric, index is not null, scale.Type) { DenseWords = dense };
        return new StoredModule(name, rows, columns, scheme, packed, scale, zero, index);
    }

    private (int Bits, bool Dense) Bits(string name, TensorEntry packed, int columns, QuantArgs? told)
    {
        var words = packed.Shape[1];
        var fitting = new List<(int Bits, bool Dense)>();
        for (var b = 1; b <= 8; b++)
        {
            var (old, dense) = (PackedInt.Words(b, columns), PackedInt.Words(b, columns, dense: true));
            if (old == words) fitting.Add((b, false));
            if (32 % b != 0 && dense == words) fitting.Add((b, true));
        }
        if (fitting.Count == 0)
            throw new BadInputException(packed.File, packed.Name,
                $"expected a word count that {columns} codes of 1 to 8 bits take, found {packed.ShapeText}");

        // The config decides between widths that take the same number of words; without one the usual widths do.
        int[] preferred = told is null ? [4, 8, 2, 1] : [told.Bits, 4, 8, 2, 1];
        foreach (var bits in preferred)
        {
            var layouts = fitting.FindAll(f => f.Bits == bits);
            if (layouts.Count == 0) continue;
            if (layouts.Count > 1)
                throw new BadInputException(packed.File, packed.Name,
                    $"holds {bits}-bit codes in one of two layouts that cannot be told apart at {columns} columns");
            if (told is not null && bits != told.Bits)
                warnings.Add(name, $"{told.Group} of the config says {told.Bits} bits, but the packing means {bits}; taken as stored");
            return layouts[0];
        }
        var widths = string.Join(" or ", fitting.Select(f => f.Bits).Distinct());
        if (fitting.Count > 1)
            throw new BadInputException(packed.File, packed.Name, $"may hold codes of {widths} bits, and the config does not tell");
        if (told is not null)
            warnings.Add(name, $"{told.Group} of the config says {told.Bits} bits, but the packing means {widths}; taken as stored");
        return fitting[0];
    }

    private int Group(string name, TensorEntry scale, int rows, int columns, QuantArgs? told)
    {
        var groups = scale.Shape switch
        {
            [var down] when down == rows => 1,
            [var down, var across] when down == rows && across > 0 => across,
            _ => throw Unfit(),
        };
        var wanted = told?.Strategy switch { "group" => told.GroupSize, "channel" => columns, _ => null };
        if (wanted is { } size && groups == Parts(columns, size) && columns % Math.Min(size, columns) == 0) return Math.Min(size, columns);
        if (groups == 1) return Tell(columns);
        if (columns % groups != 0) throw Unfit();
        return Tell((int)(columns / groups));

        int Tell(int found)
        {
            if (wanted is not null)
                warnings.Add(name, $"{told!.Group} of the config says groups of {wanted}, but the scale means {found}; taken as stored");
            return found;
        }

        BadInputException Unfit() =>
            new(scale.File, scale.Name, $"expected [{rows}, groups] with groups that divide {columns} columns, found {scale.ShapeText}");
    }

    private static void ScaleType(TensorEntry scale)
    {
        if (scale.Type is not (DType.F32 or DType.BF16 or DType.F16))
            throw new BadInputException(scale.File, scale.Name, $"expected F32, BF16 or F16, found {scale.Type.FileName()}");
    }

    private static void Shape(TensorEntry weight, int rows, int columns)
    {
        if (weight.Shape.Length != 2 || weight.Shape[0] != rows || weight.Shape[1] != columns)
            throw new BadInputException(weight.File, weight.Name, $"expected shape [{rows}, {columns}], found {weight.ShapeText}");
    }

    private TensorEntry? Find(string name, string suffix) => tensors.GetValueOrDefault($"{name}.{suffix}");

    private static long Parts(long whole, long part) => (whole + part - 1) / part;
}
