using System.Text.RegularExpressions;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;

namespace Quilt.Tests.TinyModels;

/// <summary>A copy of a checkpoint folder with its experts under other names, deleted at the end.</summary>
internal sealed class RenamedFolder : IDisposable
{
    /// <summary>The ways in which tools write experts.</summary>
    public static readonly string[] Styles = ["mixtral", "plain", "linearized", "fused"];

    public RenamedFolder(string source, string style)
    {
        Directory.CreateDirectory(Path);
        File.Copy(System.IO.Path.Combine(source, ModelConfig.FileName), System.IO.Path.Combine(Path, ModelConfig.FileName));
        var tensors = Read(source);
        var renamed = (style == "fused" ? Fused(tensors) : tensors.Select(tensor => tensor with { Name = Rename(tensor.Name, style) })).ToList();
        Changed = renamed.Exists(tensor => !tensors.Exists(old => old.Name == tensor.Name));
        SafeTensorsWriter.Write(System.IO.Path.Combine(Path, "model.safetensors"), renamed);
    }

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"quilt-renamed-{Guid.NewGuid():N}");

    /// <summary>Whether any name is another one.</summary>
    public bool Changed { get; }

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private static List<TensorToWrite> Read(string folder)
    {
        var tensors = new List<TensorToWrite>();
        foreach (var path in ShardIndex.Read(System.IO.Path.Combine(folder, ShardIndex.FileName)).Files)
        {
            using var file = SafeTensorsFile.Open(System.IO.Path.Combine(folder, path));
            foreach (var entry in file.Tensors.Values)
            {
                var bytes = new byte[entry.Length];
                file.Read(entry, bytes);
                tensors.Add(new(entry.Name, entry.Type, entry.Shape, bytes));
            }
        }
        return tensors;
    }

    private static string Rename(string name, string style)
    {
        var block = style == "plain" ? "mlp" : "block_sparse_moe";
        name = Regex.Replace(name, @"^(model\.layers\.\d+)\.(mlp|block_sparse_moe)\.(experts|gate)\.", $"$1.{block}.$3.");
        name = Regex.Replace(name, @"^(model\.layers\.\d+)\.(mlp|block_sparse_moe)\.(gate\.)?e_score_correction_bias$",
            style == "plain" ? "$1.mlp.gate.e_score_correction_bias" : "$1.block_sparse_moe.e_score_correction_bias");
        return Regex.Replace(name, @"(\.experts\.\d+)\.(gate_proj|down_proj|up_proj|w1|w2|w3)\.", match =>
            $"{match.Groups[1].Value}.{(style == "mixtral" ? Mixtral(match.Groups[2].Value) : Plain(match.Groups[2].Value))}.");
    }

    private static string Mixtral(string name) => name switch { "gate_proj" => "w1", "down_proj" => "w2", "up_proj" => "w3", _ => name };

    private static string Plain(string name) => name switch { "w1" => "gate_proj", "w2" => "down_proj", "w3" => "up_proj", _ => name };

    // [experts, 2 * inner, model] and [experts, model, inner], where every expert's weight stands alone and is no code.
    private static IEnumerable<TensorToWrite> Fused(List<TensorToWrite> tensors)
    {
        var plain = tensors.Select(tensor => tensor with { Name = Rename(tensor.Name, "plain") }).ToList();
        var parts = plain.Select(tensor => (Tensor: tensor, Match: Regex.Match(tensor.Name, @"^(.*\.experts)\.(\d+)\.(\w+)\.weight$"))).ToList();
        foreach (var (tensor, match) in parts)
        {
            if (!match.Success || tensor.Type != DType.BF16) yield return tensor;
        }
        foreach (var layer in parts.Where(part => part.Match.Success && part.Tensor.Type == DType.BF16).GroupBy(part => part.Match.Groups[1].Value))
        {
            TensorToWrite[] Of(string matrix) => [.. layer.Where(part => part.Match.Groups[3].Value == matrix)
                .OrderBy(part => int.Parse(part.Match.Groups[2].Value, null)).Select(part => part.Tensor)];
            var (gates, ups, downs) = (Of("gate_proj"), Of("up_proj"), Of("down_proj"));
            var (inner, model) = (gates[0].Shape[0], gates[0].Shape[1]);
            yield return new($"{layer.Key}.gate_up_proj", DType.BF16, [gates.Length, 2 * inner, model],
                stream => Array.ForEach([.. gates.Zip(ups)], pair => { pair.First.WriteTo(stream); pair.Second.WriteTo(stream); }));
            yield return new($"{layer.Key}.down_proj", DType.BF16, [downs.Length, model, inner],
                stream => Array.ForEach(downs, down => down.WriteTo(stream)));
        }
    }
}
