using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Verifying;

/// <summary>
/// The tensors that a module consists of, by how it is stored: <c>weight_packed</c>, <c>weight_scale</c>, <c>weight_shape</c> and perhaps zero
/// points and the groups of columns; FP8 <c>weight</c> with one of two scales; or <c>weight</c> alone.
/// </summary>
internal static class ModuleTensorNames
{
    private static readonly string[] Scales = ["weight_scale_inv", "weight_scale"];

    /// <summary>What must be there and is not; the scale of FP8 under the first of its names.</summary>
    public static IEnumerable<string> Missing(Checkpoint checkpoint, ModuleShape module)
    {
        var weight = checkpoint.Find($"{module.Name}.weight");
        string[] needed = checkpoint.Find($"{module.Name}.weight_packed") is not null ? ["weight_scale", "weight_shape"]
            : weight is null ? ["weight"]
            : weight.Type == DType.F8E4M3 && !Array.Exists(Scales, scale => checkpoint.Find($"{module.Name}.{scale}") is not null) ? [Scales[0]]
            : [];
        return needed.Concat(module.HasBias ? ["bias"] : []).Select(suffix => $"{module.Name}.{suffix}")
            .Where(name => checkpoint.Find(name) is null);
    }

    /// <summary>Every tensor of the module that its way of storing knows.</summary>
    public static IEnumerable<TensorEntry> Known(Checkpoint checkpoint, ModuleShape module)
    {
        var weight = checkpoint.Find($"{module.Name}.weight");
        string[] known = checkpoint.Find($"{module.Name}.weight_packed") is not null
            ? ["weight_packed", "weight_scale", "weight_shape", "weight_zero_point", "weight_g_idx"]
            : weight?.Type == DType.F8E4M3 ? ["weight", "input_scale", checkpoint.Find($"{module.Name}.{Scales[0]}") is null ? Scales[1] : Scales[0]]
            : ["weight"];
        return known.Append("bias").Select(suffix => checkpoint.Find($"{module.Name}.{suffix}")).OfType<TensorEntry>();
    }
}
