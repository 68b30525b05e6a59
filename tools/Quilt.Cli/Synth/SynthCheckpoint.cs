using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Formats;
using Quilt.Formats.Tensors;
using Quilt.Runtime;

namespace Quilt.Cli.Synth;

/// <summary>
/// Writes a random checkpoint: shards, index, config; the folder appears whole or not at all.
/// </summary>
internal static class SynthCheckpoint
{
    private const long ShardBytes = 1_000_000_000;
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes <paramref name="folder"/>, which must not exist or be empty, and returns the bytes of its tensors.</summary>
    /// <exception cref="BadInputException">The folder is not empty, or the disk has not the room.</exception>
    public static long Write(string folder, SynthShape shape, SynthFormat format, long seed, IProgress<LoadProgress>? progress,
        CancellationToken cancel)
    {
        var shards = Shards(new SynthTensors(shape, format, seed).All());
        var total = shards.Sum(shard => shard.Sum(SafeTensorsWriter.Bytes));
        AtomicFolder.Write(folder, total, temporary => WriteFiles(temporary, shards, shape, format, total, progress, cancel));
        return total;
    }

    private static void WriteFiles(
        string folder, List<List<TensorToWrite>> shards, SynthShape shape, SynthFormat format, long total, IProgress<LoadProgress>? progress,
            CancellationToken cancel)
    {
        var metadata = new Dictionary<string, string> { ["format"] = "pt" };
        var map = new JsonObject();
        var done = 0L;
        for (var i = 0; i < shards.Count; i++)
        {
            var name = FormattableString.Invariant($"model-{i + 1:00000}-of-{shards.Count:00000}.safetensors");
            SafeTensorsWriter.Write(Path.Combine(folder, name), shards[i], metadata, cancel);
            foreach (var tensor in shards[i]) map[tensor.Name] = name;
            progress?.Report(new LoadProgress(done += shards[i].Sum(SafeTensorsWriter.Bytes), total, name));
        }
        cancel.ThrowIfCancellationRequested();
        WriteJson(folder, "model.safetensors.index.json",
            new JsonObject { ["metadata"] = new JsonObject { ["total_size"] = total }, ["weight_map"] = map });
        WriteJson(folder, "config.json", SynthConfig.Model(shape, format));
        WriteJson(folder, "generation_config.json", SynthConfig.Generation(shape));
    }

    private static void WriteJson(string folder, string name, JsonObject value) =>
        File.WriteAllText(Path.Combine(folder, name), value.ToJsonString(Indented) + "\n");

    /// <summary>Cuts the tensors into files of about <see cref="ShardBytes"/>.</summary>
    private static List<List<TensorToWrite>> Shards(IEnumerable<TensorToWrite> tensors)
    {
        var shards = new List<List<TensorToWrite>> { new() };
        var bytes = 0L;
        foreach (var tensor in tensors)
        {
            var size = SafeTensorsWriter.Bytes(tensor);
            if (bytes > 0 && bytes + size > ShardBytes)
            {
                shards.Add([]);
                bytes = 0;
            }
            shards[^1].Add(tensor);
            bytes += size;
        }
        return shards;
    }
}
