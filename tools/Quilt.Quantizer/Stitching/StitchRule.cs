using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Quilt.Formats;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Repair;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Stitching;

/// <summary>
/// What becomes of each official tensor: experts are replaced by the packed ones, their scales dropped, the norm in front of them is the smoothed
/// one, attention's scales get the name that compressed-tensors gives them, all else is copied.
/// </summary>
/// <param name="official">FP8 in blocks.</param>
/// <param name="awq">Packed experts and the norms that go with them.</param>
/// <param name="repaired">By layer what the router's columns are multiplied with; null: routers are copied too.</param>
internal sealed partial class StitchRule(Checkpoint official, Checkpoint awq, IReadOnlyList<NormRatio>? repaired)
{
    private const string ScaleInverse = "weight_scale_inv";
    private static readonly string[] Packed = ["weight_packed", "weight_scale", "weight_shape", "weight_zero_point", "weight_g_idx"];

    /// <summary>The name of a shard: files of this family are counted "of 130" where there are 125.</summary>
    public static string Shard(string official) => official.Replace("00130", "00125", StringComparison.Ordinal);

    /// <summary>What comes in the place of a tensor.</summary>
    /// <exception cref="BadInputException">Its replacement is missing.</exception>
    public IEnumerable<TensorToWrite> Apply(TensorEntry tensor)
    {
        // Whatever tool named the parts, their meaning is Mixtral's name.
        var meaning = TensorNames.Meaning(tensor.Name);
        if (Expert().Match(meaning) is { Success: true } expert)
            return expert.Groups[1].Value == "weight" ? Experts(tensor.Name[..^".weight".Length]) : [];
        if (meaning.EndsWith($"_proj.{ScaleInverse}", StringComparison.Ordinal))
            return [TensorCopy.Of(official, tensor, tensor.Name[..^"_inv".Length])];
        if (meaning.EndsWith("_scale_inv", StringComparison.Ordinal)) return [];
        if (meaning.Contains("post_attention_layernorm", StringComparison.Ordinal) && meaning.EndsWith("weight", StringComparison.Ordinal))
            return [TensorCopy.Of(awq, Find(tensor.Name), tensor.Name)];
        if (repaired is not null && Gate().Match(meaning) is { Success: true } gate)
            return [Repair(tensor, repaired[int.Parse(gate.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture)])];
        return [TensorCopy.Of(official, tensor)];
    }

    private IEnumerable<TensorToWrite> Experts(string module)
    {
        _ = Find($"{module}.{Packed[0]}");
        foreach (var suffix in Packed)
        {
            if (awq.Find($"{module}.{suffix}") is { } found) yield return TensorCopy.Of(awq, found, $"{module}.{suffix}");
        }
    }

    private TensorEntry Find(string name) => awq.Find(name) ?? throw new BadInputException(awq.Folder, name, "expected this tensor, found none");

    private TensorToWrite Repair(TensorEntry tensor, NormRatio ratio)
    {
        var router = new ModuleShape(tensor.Name[..^".weight".Length], (int)tensor.Shape[0], (int)tensor.Shape[1]);
        var gate = official.Module(router.Name, router.Rows, router.Columns).Dequantize();
        for (var i = 0; i < gate.Length; i++) gate[i] *= ratio.S[i % router.Columns];
        return new TensorToWrite(tensor.Name, DType.F32, tensor.Shape, stream => stream.Write(MemoryMarshal.AsBytes<float>(gate)));
    }

    [GeneratedRegex(@"block_sparse_moe\.experts\.\d+\.(?:w1|w2|w3)\.(weight|weight_scale_inv|weight_scale)$")]
    private static partial Regex Expert();

    [GeneratedRegex(@"^model\.layers\.(\d+)\.block_sparse_moe\.gate\.weight$")]
    private static partial Regex Gate();
}
