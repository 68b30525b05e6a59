using System.Runtime.InteropServices;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;

namespace Quilt.Quantizer.Awq;

/// <summary>
/// Writes how the scales of each mapping were found, mappings numbered from 00 in the order in which they were searched: <c>NN.x_mean</c> BF16 or
/// F32, <c>NN.w_mean</c> and <c>NN.s</c> F64 [channels], <c>losses</c> F64 [mappings, tries], <c>best_index</c> I32 and <c>ratio</c> F64 [mappings]
/// (−1: scales of one).
/// </summary>
internal static class StatsFile
{
    /// <summary>Writes the file; it appears whole.</summary>
    public static void Write(string path, IReadOnlyList<SmoothingResult> mappings)
    {
        var tensors = new List<TensorToWrite>
        {
            Doubles("losses", [mappings.Count, mappings.Count == 0 ? 0 : mappings[0].Losses.Length],
                [.. mappings.SelectMany(mapping => mapping.Losses)]),
            Doubles("ratio", [mappings.Count], [.. mappings.Select(mapping => mapping.Ratio)]),
            new("best_index", DType.I32, [mappings.Count], MemoryMarshal.AsBytes<int>(mappings.Select(mapping => mapping.Best).ToArray()).ToArray()),
        };
        for (var i = 0; i < mappings.Count; i++)
        {
            var (name, mapping) = (FormattableString.Invariant($"{i:00}"), mappings[i]);
            var x = mapping.InputMeans;
            tensors.Add(mapping.InputPrecision == Precision.BFloat16
                ? new($"{name}.x_mean", DType.BF16, [x.Length],
                    MemoryMarshal.AsBytes<BFloat16>(Array.ConvertAll(x, value => (BFloat16)value)).ToArray())
                : new($"{name}.x_mean", DType.F32, [x.Length], MemoryMarshal.AsBytes<float>(x).ToArray()));
            tensors.Add(Doubles($"{name}.w_mean", [mapping.WeightMeans.Length], mapping.WeightMeans));
            tensors.Add(Doubles($"{name}.s", [mapping.Scales.Length], mapping.Scales));
        }
        SafeTensorsWriter.Write(path, tensors, new Dictionary<string, string> { ["format"] = "pt" });
    }

    private static TensorToWrite Doubles(string name, long[] shape, double[] values) =>
        new(name, DType.F64, shape, MemoryMarshal.AsBytes<double>(values).ToArray());
}
