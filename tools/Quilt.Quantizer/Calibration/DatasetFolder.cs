using System.Buffers;
using System.Globalization;
using System.Text.RegularExpressions;
using Quilt.Formats;

namespace Quilt.Quantizer.Calibration;

/// <summary>
/// Datasets on this machine. Of the dataset <c>org/name</c>, the split <c>train</c> and perhaps a subset, below the data folder:
/// <list type="bullet">
/// <item>the dataset is <c>org/name</c>, or <c>name</c>, or <c>datasets--org--name/snapshots/*</c> as Hugging Face's cache has it;</item>
/// <item>in it (or its <c>data</c>), with a subset, the folder of that name; without one also <c>default</c>;</item>
/// <item>there <c>train.jsonl</c>, <c>train.json</c> or <c>train.parquet</c>; or shards <c>train-00000-of-00003.parquet</c> (something between the
/// last number and the point is allowed); or a folder <c>train</c> with files of these kinds, in the order of their names.</item>
/// </list>
/// The first place that has something is taken.
/// </summary>
internal sealed partial class DatasetFolder(string root)
{
    private static readonly SearchValues<char> NoNames = SearchValues.Create("\\:*?[]<>|\"/");
    private static readonly string[] Kinds = [".jsonl", ".json", ".parquet"];

    /// <summary>The files of an entry's split in their order; none where it is not here.</summary>
    /// <exception cref="BadInputException">The entry's names are no names of files, or the folder is not there.</exception>
    public IReadOnlyList<string> Find(CalibrationEntry entry)
    {
        if (!Directory.Exists(root)) throw new BadInputException(root, null, "expected a folder with datasets, found none");
        return Places(entry).Select(place => FilesIn(place, entry.Split)).FirstOrDefault(files => files.Count > 0) ?? [];
    }

    /// <summary>Where an entry is looked for, for messages.</summary>
    public IReadOnlyList<string> Candidates(CalibrationEntry entry) =>
        [.. Places(entry).Select(place => Path.Combine(place, $"{entry.Split}{{.jsonl, .json, .parquet, -00000-of-*, /}}"))];

    /// <summary>The rows of an entry, as many as it takes; files are read no further than that.</summary>
    /// <exception cref="BadInputException">There is no data, a shard is missing before there are enough rows, or a file is damaged.</exception>
    public IEnumerable<CalibrationRow> Rows(CalibrationEntry entry, CancellationToken cancel)
    {
        var files = Find(entry);
        if (files.Count == 0)
        {
            throw new BadInputException(root, null,
                $"expected data of {entry.Name}, found none; looked for {string.Join(", ", Candidates(entry))}");
        }
        return Take(entry, files, cancel);
    }

    private static IEnumerable<CalibrationRow> Take(CalibrationEntry entry, IReadOnlyList<string> files, CancellationToken cancel)
    {
        long number = 0;
        for (var i = 0; i < files.Count; i++)
        {
            if (ShardForm().Match(Path.GetFileName(files[i])) is { Success: true } shard && Number(shard, "at") != i) throw Gap(files[i], shard, i);
            foreach (var values in RowFile.Read(files[i], number, cancel))
            {
                cancel.ThrowIfCancellationRequested();
                yield return new(values, files[i], ++number);
                if (number >= entry.Limit) yield break;
            }
        }
        if (ShardForm().Match(Path.GetFileName(files[^1])) is { Success: true } last && Number(last, "of") != files.Count)
            throw Gap(files[^1], last, files.Count);
    }

    private static BadInputException Gap(string file, Match shard, int missing) => new(Path.GetDirectoryName(file)!, null,
        FormattableString.Invariant($"expected shard {missing} of {shard.Groups["of"].Value}, found none"));

    private IEnumerable<string> Places(CalibrationEntry entry)
    {
        foreach (var part in entry.Dataset.Split('/').Append(entry.Split).Append(entry.Subset ?? "default")) CheckName(entry, part);
        var subsets = entry.Subset is { } subset ? [subset, Path.Combine("data", subset)] : new[] { "", "data", "default" };
        return Homes(entry.Dataset).SelectMany(_ => subsets, (home, inner) => Path.Combine(root, home, inner));
    }

    private IEnumerable<string> Homes(string dataset)
    {
        var parts = dataset.Split('/');
        yield return Path.Combine(parts);
        if (parts.Length > 1) yield return parts[^1];
        var snapshots = Path.Combine(root, $"datasets--{string.Join("--", parts)}", "snapshots");
        if (!Directory.Exists(snapshots)) yield break;
        foreach (var snapshot in Directory.GetDirectories(snapshots).Order(StringComparer.Ordinal)) yield return Path.GetFullPath(snapshot);
    }

    private static IReadOnlyList<string> FilesIn(string folder, string split)
    {
        if (!Directory.Exists(folder)) return [];
        foreach (var kind in Kinds)
        {
            var whole = Path.Combine(folder, split + kind);
            if (File.Exists(whole)) return [whole];
        }
        foreach (var kind in Kinds)
        {
            var shards = Directory.GetFiles(folder, $"{split}-*{kind}")
                .Where(file => ShardForm().Match(Path.GetFileName(file)) is { Success: true } shard && shard.Groups["split"].Value == split)
                .Order(StringComparer.Ordinal).ToArray();
            if (shards.Length > 0) return shards;
        }
        var inner = Path.Combine(folder, split);
        if (!Directory.Exists(inner)) return [];
        return Kinds.Select(kind => Directory.GetFiles(inner, $"*{kind}").Order(StringComparer.Ordinal).ToArray())
            .FirstOrDefault(files => files.Length > 0) ?? [];
    }

    private static long Number(Match shard, string group) => long.Parse(shard.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    // Nothing outside of the data folder is reached, and a slice like train[:100] is no file.
    private static void CheckName(CalibrationEntry entry, string name)
    {
        if (name.Length == 0 || name is "." or ".." || name.AsSpan().IndexOfAny(NoNames) >= 0 || name.Any(char.IsControl))
            throw new BadInputException(entry.Name, null, $"expected names of a dataset, a subset and a split, found \"{name}\" among them");
    }

    [GeneratedRegex(@"^(?<split>.+)-(?<at>\d{5,9})-of-(?<of>\d{5,9})(?:-[^.]*)?\.\w+$", RegexOptions.CultureInvariant)]
    private static partial Regex ShardForm();
}
