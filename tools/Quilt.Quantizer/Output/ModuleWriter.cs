using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Plan;
using Quilt.Quantizer.Recipes;

namespace Quilt.Quantizer.Output;

/// <summary>
/// One module's weight as a scheme stores it. Integers: <c>weight_packed</c> I32 [rows, words], <c>weight_scale</c> [rows, groups] in the weight's
/// dtype, <c>weight_shape</c> I64 [2], where asymmetric <c>weight_zero_point</c> I32 [row words, groups]. FP8: <c>weight</c> F8_E4M3 [rows, columns]
/// and <c>weight_scale</c> in the weight's dtype, or in the official form <c>weight_scale_inv</c> in float32: [1], [rows, 1] or one a block.
/// </summary>
internal static class ModuleWriter
{
    /// <summary>The tensors, before anything is computed.</summary>
    /// <param name="name">Path in the result, without suffix.</param>
    /// <param name="rows">Outputs.</param>
    /// <param name="columns">Inputs.</param>
    /// <param name="type">The weight's dtype: BF16, F16 or F32.</param>
    /// <param name="scheme">How it is stored.</param>
    /// <param name="official">The official form of FP8.</param>
    public static IReadOnlyList<OutputTensor> Layout(string name, int rows, int columns, DType type, WeightScheme scheme, bool official)
    {
        var scales = SchemeShape.Scales(scheme, rows, columns);
        if (scheme.IsFloat)
        {
            return
            [
                new($"{name}.weight", DType.F8E4M3, [rows, columns]),
                official ? new($"{name}.weight_scale_inv", DType.F32, scales) : new($"{name}.weight_scale", type, scales),
            ];
        }
        OutputTensor[] tensors =
        [
            new($"{name}.weight_packed", DType.I32, [rows, PackedInt.Words(scheme.Bits, columns)]),
            new($"{name}.weight_scale", type, scales),
            new($"{name}.weight_shape", DType.I64, [2]),
        ];
        return scheme.Symmetric
            ? tensors
            : [.. tensors, new($"{name}.weight_zero_point", DType.I32, [PackedInt.Words(scheme.Bits, rows), scales[1]])];
    }

    /// <summary>
    /// The tensors of <see cref="Layout"/>, each computed when it is written. In a safetensors file's own order a weight is read once, or in FP8
    /// twice, and only what is written later is kept.
    /// </summary>
    /// <param name="name">Path in the result, without suffix.</param>
    /// <param name="weight">The values.</param>
    /// <param name="scheme">How they are stored.</param>
    /// <param name="official">The official form of FP8.</param>
    /// <param name="loop">What goes through the rows.</param>
    /// <param name="scales">
    /// Scales to be used, [rows, groups] or one a block, values of the weight's dtype; null: those that the largest values give. Not for asymmetric
    /// schemes.
    /// </param>
    public static IReadOnlyList<TensorToWrite> Tensors(string name, WeightRows weight, WeightScheme scheme, bool official, RowLoop loop,
        float[]? scales = null)
    {
        var layout = Layout(name, weight.Rows, weight.Columns, weight.Type, scheme, official);
        if (official) return Write<SinglePrecision>();
        return weight.Type switch
        {
            DType.BF16 => Write<BFloat16Precision>(),
            DType.F16 => Write<HalfPrecision>(),
            DType.F32 => Write<SinglePrecision>(),
            _ => throw new ArgumentException($"{name}: a weight of {weight.Type.FileName()} cannot be quantized.", nameof(weight)),
        };

        IReadOnlyList<TensorToWrite> Write<T>() where T : struct, IPrecision => scheme.IsFloat
            ? new Fp8Writer<T>(weight, scheme, loop, scales).Tensors(layout)
            : new PackedIntWriter<T>(weight, scheme, loop, scales).Tensors(layout);
    }
}
