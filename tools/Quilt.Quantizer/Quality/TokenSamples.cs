using System.Text.Json;
using Quilt.Formats;

namespace Quilt.Quantizer.Quality;

/// <summary>Files of token ids: <c>{"samples": [[1, 2, 3], …]}</c>.</summary>
internal static class TokenSamples
{
    private const int MostBytes = 1 << 30;

    /// <summary>The ids of each sample.</summary>
    /// <exception cref="BadInputException">The file cannot be read, or is not that.</exception>
    public static IReadOnlyList<int[]> Read(string path)
    {
        var root = JsonText.ParseObject(JsonText.ReadBytes(path, MostBytes), path);
        if (!root.TryGetProperty("samples", out var list) || list.ValueKind != JsonValueKind.Array)
            throw new BadInputException(path, "samples", "expected a list of lists of token ids");
        return [.. list.EnumerateArray().Select((sample, index) => Ids(path, $"samples[{index}]", sample))];
    }

    private static int[] Ids(string path, string part, JsonElement sample)
    {
        if (sample.ValueKind != JsonValueKind.Array) throw new BadInputException(path, part, "expected a list of token ids");
        var ids = new int[sample.GetArrayLength()];
        var count = 0;
        foreach (var item in sample.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out var id) || id < 0)
                throw new BadInputException(path, part, $"expected token ids, found {Formats.Checkpoints.ConfigJson.Short(item)} at {count}");
            ids[count++] = id;
        }
        return ids;
    }
}
