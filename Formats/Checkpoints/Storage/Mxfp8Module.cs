using System.Buffers;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints.Storage;

/// <summary>
/// Float8 E4M3 codes with a power of two for every 32 columns of a row (MXFP8): <c>weight</c> [rows, columns] and <c>weight_scale</c> or
/// <c>weight_scale_inv</c> [rows, columns / 32] of E8M0, a byte that stands for 2^(byte − 127); 255 is NaN (docs/checkpoints.md, "How a module is
/// stored").
/// </summary>
internal sealed class Mxfp8Module : StoredModule
{
    private const int Group = 32;
    private const byte NaN = 255;
    private readonly TensorEntry weight;
    private readonly TensorEntry scale;

    private Mxfp8Module(ModuleTensors module, TensorEntry weight, TensorEntry scale) : base(module, weight, scale) =>
        (this.weight, this.scale) = (weight, scale);

    /// <summary>What recognizes it.</summary>
    public static StorageReader Reader { get; } = new("weight as F8_E4M3 with weight_scale as U8 or F8_E8M0", ["mxfp8-quantized"], TryRead);

    public override string Scheme => "mxfp8";

    internal override RowForm Form => new(CodeType.Float8, Group, 1, DType.F32);

    internal override int RowBytes => Columns;

    internal override void ReadRows(int first, Span<byte> into)
    {
        var start = (long)first * RowBytes;
        Read(weight, into, start);
        FiniteValues.Check(weight, into, start, Columns);
    }

    internal override void ReadScales(Span<float> into)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(into.Length);
        try
        {
            Read(scale, bytes.AsSpan(0, into.Length));
            var bad = bytes.AsSpan(0, into.Length).IndexOf(NaN);
            if (bad >= 0) throw ModuleTensors.Bad(scale, $"expected finite scales of more than 0, found NaN ({NaN}) at index {bad}");
            for (var i = 0; i < into.Length; i++) into[i] = MathF.ScaleB(1, bytes[i] - 127);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    internal override float[] Dequantize()
    {
        var codes = new byte[weight.Length];
        ReadRows(0, codes);
        var scales = AllScales();
        var values = new float[codes.Length];
        for (var i = 0; i < values.Length; i++) values[i] = Float8E4M3.Decode(codes[i]) * scales[i / Group];
        return values;
    }

    private static Mxfp8Module? TryRead(ModuleTensors module)
    {
        if (module.Find("weight") is not { Type: DType.F8E4M3 } weight) return null;
        if ((module.Find("weight_scale") ?? module.Find("weight_scale_inv")) is not { Type: DType.U8 or DType.F8E8M0 } scale) return null;
        module.CheckShape(weight);
        if (module.Columns % Group != 0 || !scale.Shape.AsSpan().SequenceEqual([module.Rows, module.Columns / Group]))
            throw ModuleTensors.Bad(scale, $"expected one scale for every {Group} of {module.Columns} columns, [{module.Rows}, " +
                $"{module.Columns / Group}], found {scale.ShapeText}");
        return new Mxfp8Module(module, weight, scale);
    }
}
