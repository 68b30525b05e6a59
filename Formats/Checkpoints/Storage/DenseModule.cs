using Quilt.Formats.Tensors;

namespace Quilt.Formats.Checkpoints.Storage;

/// <summary>Plain floating point: <c>weight</c> [rows, columns].</summary>
internal sealed class DenseModule : StoredModule
{
    private readonly TensorEntry weight;

    private DenseModule(ModuleTensors module, TensorEntry weight) : base(module, weight) => this.weight = weight;

    /// <summary>What recognizes it.</summary>
    public static StorageReader Reader { get; } = new("weight as F32, BF16 or F16", ["dense"], TryRead);

    public override string Scheme => weight.Type.FileName().ToLowerInvariant();

    internal override RowForm Form =>
        new(weight.Type switch { DType.BF16 => CodeType.BFloat16, DType.F16 => CodeType.Float16, _ => CodeType.Float32 }, Columns);

    internal override int RowBytes => checked(Columns * weight.Type.BitSize() / 8);

    internal override void ReadRows(int first, Span<byte> into)
    {
        var start = (long)first * RowBytes;
        Read(weight, into, start);
        FiniteValues.Check(weight, into, start, Columns);
    }

    internal override float[] Dequantize()
    {
        var bytes = new byte[weight.Length];
        ReadRows(0, bytes);
        var values = new float[checked(Rows * Columns)];
        TensorValues.ToFloats(weight.Type, bytes, values);
        return values;
    }

    private static DenseModule? TryRead(ModuleTensors module)
    {
        if (module.Find("weight") is not { Type: DType.F32 or DType.BF16 or DType.F16 } weight) return null;
        module.CheckShape(weight);
        if (module.Told is { } told)
            module.Warn(weight, $"{told.Group} of the config says it is quantized, but it is stored as {weight.Type.FileName()}; taken as stored");
        foreach (var suffix in (string[])["weight_scale", "weight_scale_inv"])
        {
            if (module.Find(suffix) is { } scale) module.Warn(scale, $"is ignored: the weight beside it is stored as {weight.Type.FileName()}");
        }
        return new DenseModule(module, weight);
    }
}
