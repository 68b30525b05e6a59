namespace Quilt.Quantizer.Calibration;

/// <summary>What a calibration set reaches: rows and tokens of each dataset, and languages.</summary>
internal sealed class CalibrationCoverage
{
    private readonly List<DatasetCoverage> datasets;
    private readonly SortedDictionary<string, int> spoken = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> programming = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, int> asked = new(StringComparer.Ordinal);

    public CalibrationCoverage(IEnumerable<CalibrationEntry> entries) => datasets = [.. entries.Select(entry => new DatasetCoverage(entry))];

    /// <summary>Every dataset of the set, in its order; those without data have no rows.</summary>
    public IReadOnlyList<DatasetCoverage> Datasets => datasets;

    /// <summary>Spoken languages and in how many samples they were found (<see cref="SpokenLanguages"/>).</summary>
    public IReadOnlyDictionary<string, int> Spoken => spoken;

    /// <summary>Programming languages and in how many samples they were found (<see cref="ProgrammingLanguages"/>).</summary>
    public IReadOnlyDictionary<string, int> Programming => programming;

    /// <summary>What templates chose from their lists, and for how many samples: what was asked for, whatever the text is.</summary>
    public IReadOnlyDictionary<string, int> Asked => asked;

    /// <summary>Counts a sample.</summary>
    /// <param name="sample">Its tokens and where it is from.</param>
    /// <param name="text">Its text, as far as it is kept.</param>
    /// <param name="choices">What templates chose for it.</param>
    public void Add(CalibrationSample sample, string text, IEnumerable<string> choices)
    {
        var dataset = datasets.First(one => ReferenceEquals(one.Entry, sample.Entry));
        dataset.Rows++;
        dataset.Tokens += sample.Ids.Length;
        if (sample.IsCut) dataset.Cut++;
        foreach (var language in SpokenLanguages.In(text)) Count(spoken, language);
        foreach (var language in ProgrammingLanguages.In(text)) Count(programming, language);
        foreach (var choice in choices) Count(asked, choice);
    }

    private static void Count(SortedDictionary<string, int> counts, string what) => counts[what] = counts.GetValueOrDefault(what) + 1;
}

/// <summary>How much of one dataset was used.</summary>
internal sealed class DatasetCoverage(CalibrationEntry entry)
{
    /// <summary>The dataset.</summary>
    public CalibrationEntry Entry { get; } = entry;

    /// <summary>Rows read.</summary>
    public int Rows { get; set; }

    /// <summary>Their tokens, after cutting.</summary>
    public long Tokens { get; set; }

    /// <summary>Rows that were longer than the set allows.</summary>
    public int Cut { get; set; }
}
