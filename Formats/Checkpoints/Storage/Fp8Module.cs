using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints.Storage;

/// <summary>
/// Float8 E4M3 codes with one scale, a multiplier, for each block: <c>weight</c> [rows, columns] and <c>weight_scale_inv</c> or <c>weight_scale</c>;
/// blocks at the edges may be partial (docs/checkpoints.md, "How a module is stored"). The shape of the scale tells how large a block is.
/// </summary>
internal sealed class Fp8Module : StoredModule
{
    private const int DefaultBlock = 128;
    private readonly TensorEntry weight;
    private readonly TensorEntry scale;
    private readonly (int Rows, int Columns) block;
    private readonly TensorTable table;

    private Fp8Module(ModuleTensors module, TensorEntry weight, TensorEntry scale, (int Rows, int Columns) block) : base(module, weight, scale) =>
        (this.weight, this.scale, this.block, table) = (weight, scale, block, module.Table);

    /// <summary>What recognizes it.</summary>
    public static StorageReader Reader { get; } = new("weight as F8_E4M3 with weight_scale_inv or weight_scale",
        ["float-quantized", "naive-quantized"], TryRead);

    public override string Scheme => $"fp8 {block.Rows}x{block.Columns}";

    internal override RowForm Form => new(CodeType.Float8, block.Columns, block.Rows, DType.F32);

    internal override int RowBytes => Columns;

    internal override void ReadRows(int first, Span<byte> into)
    {
        var start = (long)first * RowBytes;
        Read(weight, into, start);
        FiniteValues.Check(weight, into, start, Columns);
    }

    internal override void ReadScales(Span<float> into) => ScaleValues.Read(scale, table, into);

    internal override float[] Dequantize()
    {
        var codes = new byte[weight.Length];
        ReadRows(0, codes);
        var scales = AllScales();
        var across = Form.Groups(Columns);
        var values = new float[codes.Length];
        for (var row = 0; row < Rows; row++)
        {
            for (var group = 0; group < across; group++)
            {
                var scale = scales[(row / block.Rows * across) + group];
                var (first, last) = ((row * Columns) + (group * block.Columns), (row * Columns) + Math.Min((group + 1) * block.Columns, Columns));
                for (var i = first; i < last; i++) values[i] = Float8E4M3.Decode(codes[i]) * scale;
            }
        }
        return values;
    }

    private static Fp8Module? TryRead(ModuleTensors module)
    {
        if (module.Find("weight") is not { Type: DType.F8E4M3 } weight) return null;
        module.CheckShape(weight);
        var (inverse, plain) = (module.Find("weight_scale_inv"), module.Find("weight_scale"));
        if (inverse is not null && plain is not null) throw ModuleTensors.Bad(inverse, $"stands beside {plain.Name}; expected one of them");
        var scale = inverse ?? plain
            ?? throw ModuleTensors.Bad(weight, $"is F8_E4M3 but has no scale; expected {module.Full("weight_scale_inv")} or weight_scale");
        ScaleValues.CheckType(scale);

        var told = module.Told;
        if (told is { IsFloat: false })
            module.Warn(weight, $"{told.Group} of the config says int{told.Bits}, but it is stored as F8_E4M3; taken as stored");
        else if (module.LeftAlone) module.Warn(weight, "the config leaves it alone, but it is stored as F8_E4M3; taken as stored");

        var wanted = module.Config.Fp8Block ?? (told is { IsFloat: true } ? told.Block : null);
        var found = Block(scale, module.Rows, module.Columns, wanted);
        if (wanted is { } block && found != block
            && (found.Rows != Math.Min(block.Rows, module.Rows) || found.Columns != Math.Min(block.Columns, module.Columns)))
            module.Warn(scale,
                $"the config says blocks of {block.Rows}x{block.Columns}, but its shape means {found.Rows}x{found.Columns}; taken as stored");
        return new Fp8Module(module, weight, scale, found);
    }

    // One number, one a row, or one a block. The block's size is the config's if that fits, else 128, else what divides.
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

        BadInputException Unfit() => ModuleTensors.Bad(scale,
            $"expected one scale, [{rows}, 1], or blocks of {wanted?.Rows ?? DefaultBlock}x{wanted?.Columns ?? DefaultBlock} " +
            $"([{Parts(rows, wanted?.Rows ?? DefaultBlock)}, {Parts(columns, wanted?.Columns ?? DefaultBlock)}]), found {scale.ShapeText}");
    }

    private static long Parts(long whole, long part) => (whole + part - 1) / part;
}
