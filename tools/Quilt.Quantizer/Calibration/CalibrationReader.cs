using Quilt.Formats;
using Quilt.Quantizer.Yaml;

namespace Quilt.Quantizer.Calibration;

/// <summary>Reads the form of a calibration set. Keys it does not know mean nothing, as in the original.</summary>
internal static class CalibrationReader
{
    private const string Root = "calibration_set";

    /// <exception cref="BadInputException">A key is missing or holds something else than it should.</exception>
    public static CalibrationSet Read(YamlNode root)
    {
        var set = root.Need(Root, "a calibration set");
        var datasets = set.Need("datasets", "a list of datasets");
        var entries = datasets.Items();
        if (entries.Count == 0) throw datasets.Bad("a list of datasets");
        return new CalibrationSet(
            root.File,
            (int)(set.Find("max_seq_length")?.Whole(1, int.MaxValue) ?? 4096),
            set.Find("shuffle")?.Flag() ?? true,
            set.Find("seed")?.Whole(0) ?? 42,
            [.. entries.Select(Entry)]);
    }

    private static CalibrationEntry Entry(YamlNode entry)
    {
        var columns = entry.Need("columns", "a list of columns");
        var names = columns.Items();
        if (names.Count == 0) throw columns.Bad("a list of columns");
        var parameters = entry.Find("formatter_params")?.Entries() ?? [];
        foreach (var (_, value) in parameters)
        {
            if (value.Kind == YamlKind.Text && RowTemplate.IsOne(value.Text())) ListChoice.Check(value);
        }
        return new CalibrationEntry(
            Name(entry, "dataset", "the name of a dataset"), Name(entry, "split", "the name of a split"), entry.Find("subset")?.Text(),
            [.. names.Select(name => name.Text())], Name(entry, "formatter", "the name of a formatter"), Count(entry),
            entry.Find("streaming")?.Flag() ?? false, parameters);
    }

    private static string Name(YamlNode entry, string key, string expected)
    {
        var node = entry.Need(key, expected);
        return node.Text() is { Length: > 0 } name ? name : throw node.Bad(expected);
    }

    private static int? Count(YamlNode entry)
    {
        const string Expected = "a whole number from 1 on, or \"all\"";
        var count = entry.Need("num_samples", Expected);
        if (count.Kind == YamlKind.Text && count.Text() == "all") return null;
        return count.Kind == YamlKind.Whole ? (int)count.Whole(1, int.MaxValue) : throw count.Bad(Expected);
    }
}
