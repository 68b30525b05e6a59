using Quilt.Quantizer.Yaml;

namespace Quilt.Quantizer.Calibration;

/// <summary>Rows of one dataset, and how they become conversations.</summary>
/// <param name="Dataset">Its name on Hugging Face: <c>organisation/name</c>.</param>
/// <param name="Split">Which part of it.</param>
/// <param name="Subset">Which of its configurations; null: the only one.</param>
/// <param name="Columns">The columns the formatter reads, in its order.</param>
/// <param name="Formatter">What makes messages of a row (<see cref="RowFormatter"/>); any name, until a row is formatted.</param>
/// <param name="Count">Rows taken from the start; null: all.</param>
/// <param name="IsStreamed">The original reads such a dataset over the network as it goes; it then takes "all" for 256 rows.</param>
/// <param name="Parameters">What the formatter is told besides; texts may be templates.</param>
internal sealed record CalibrationEntry(
    string Dataset, string Split, string? Subset, IReadOnlyList<string> Columns, string Formatter, int? Count, bool IsStreamed,
    IReadOnlyList<KeyValuePair<string, YamlNode>> Parameters)
{
    private const int AllOfStream = 256;

    /// <summary>The most rows that are read; null: no limit.</summary>
    public int? Limit => Count ?? (IsStreamed ? AllOfStream : null);

    /// <summary>Dataset, subset and split in one, for messages.</summary>
    public string Name => Subset is null ? $"{Dataset} ({Split})" : $"{Dataset} ({Subset}, {Split})";
}
