using System.Text.Json;
using Quilt.Formats.Checkpoints;
using Quilt.Formats.Tensors;

namespace Quilt.Tests.Quantizer.Awq;

/// <summary>A run of llm-compressor: its settings, its statistics, and what other runs know of its inputs.</summary>
internal sealed class AwqGolden : IDisposable
{
    private readonly SafeTensorsFile stats;
    private readonly Dictionary<int, SafeTensorsFile> inputs = [];
    private readonly List<SafeTensorsFile> files = [];

    public AwqGolden(string folder)
    {
        Folder = folder;
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "stats.json")));
        var root = json.RootElement;
        Version = root.GetProperty("llmcompressor").GetString()!;
        IsFloat32 = root.GetProperty("dtype").GetString() == "float32";
        EveryToken = root.GetProperty("moe_calibrate_all_experts").GetBoolean();
        Router = root.TryGetProperty("router_in_balance_layers", out var router) && router.GetBoolean();
        Lengths = [.. root.GetProperty("sample_lengths_in_order").EnumerateArray().Select(item => item.GetInt32())];
        Mappings = [.. root.GetProperty("mappings").EnumerateArray().Select(item => new Mapping(item.GetProperty("smooth").GetString()!,
            item.GetProperty("count").GetInt64(), item.GetProperty("ratio").GetDouble(), item.GetProperty("best_index").GetInt32(),
            item.TryGetProperty("margin_to_second_best", out var margin) && margin.ValueKind == JsonValueKind.Number ? margin.GetDouble() : 1))];
        stats = Open(Path.Combine(folder, "stats.safetensors"));
    }

    public sealed record Mapping(string Smooth, long Tokens, double Ratio, int Best, double Margin);

    public string Folder { get; }

    /// <summary>The model beside the runs.</summary>
    public string Model => Path.Combine(Path.GetDirectoryName(Folder)!, "model");

    public string Version { get; }

    public bool IsFloat32 { get; }

    public bool EveryToken { get; }

    public bool Router { get; }

    public int[] Lengths { get; }

    public Mapping[] Mappings { get; }

    /// <summary>Runs below a folder of the conformance data: those with statistics.</summary>
    public static IEnumerable<string?> All()
    {
        var runs = Shared.Folders("golden/awq").OfType<string>().Where(folder => File.Exists(Path.Combine(folder, "stats.json"))).ToArray();
        return runs.Length > 0 ? runs : new string?[] { null };
    }

    /// <summary>A tensor of the statistics as double; null where the run has none of that name.</summary>
    public double[]? Values(string name) => stats.Tensors.TryGetValue(name, out var entry) ? Read(stats, entry) : null;

    /// <summary>
    /// What enters the experts of a layer, from this run or, for layer 0, from any of the same type of numbers; null: nobody knows.
    /// </summary>
    public float[]? MoeInput(int layer)
    {
        var key = $"layers.{layer}.moe_input";
        foreach (var folder in new[] { Folder }.Concat(layer == 0 && !IsFloat32 ? All().OfType<string>() : []))
        {
            using var file = SafeTensorsFile.Open(Path.Combine(folder, "stats.safetensors"));
            if (file.Tensors.TryGetValue(key, out var entry)) return Array.ConvertAll(Read(file, entry), value => (float)value);
        }
        return null;
    }

    public void Dispose()
    {
        foreach (var file in files) file.Dispose();
    }

    private SafeTensorsFile Open(string path)
    {
        var file = SafeTensorsFile.Open(path);
        files.Add(file);
        return file;
    }

    /// <summary>A tensor of any of the types there are, as double.</summary>
    public static double[] Read(SafeTensorsFile file, TensorEntry entry)
    {
        var bytes = new byte[entry.Length];
        file.Read(entry, bytes, 0);
        switch (entry.Type)
        {
            case DType.F64: return [.. Enumerable.Range(0, bytes.Length / 8).Select(i => BitConverter.ToDouble(bytes, 8 * i))];
            case DType.I32: return [.. Enumerable.Range(0, bytes.Length / 4).Select(i => (double)BitConverter.ToInt32(bytes, 4 * i))];
            default:
                var values = new float[bytes.Length * 8 / entry.Type.BitSize()];
                TensorValues.ToFloats(entry.Type, bytes, values);
                return Array.ConvertAll(values, value => (double)value);
        }
    }
}
