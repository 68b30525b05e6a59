using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Quilt.Formats;
using Quilt.Formats.Chat.Jinja;
using Quilt.Formats.Checkpoints;
using Quilt.Quantizer.Yaml;

namespace Quilt.Quantizer.Calibration;

/// <summary>
/// Which rows of which datasets a model is shown while it is quantized (docs/calibration.md). Read from YAML in the form of mratsim/quantizers;
/// the data itself is local.
/// </summary>
/// <param name="Origin">The file it is from.</param>
/// <param name="MaxLength">Tokens of a sample; what is longer is cut at its end.</param>
/// <param name="Shuffles">Whether the samples of all datasets are shuffled together.</param>
/// <param name="Seed">Of the shuffle.</param>
/// <param name="Entries">The datasets in the order of the file.</param>
internal sealed record CalibrationSet(string Origin, int MaxLength, bool Shuffles, long Seed, IReadOnlyList<CalibrationEntry> Entries)
{
    /// <summary>Whether entries without data are passed over (and named) instead of refused: so with sets that come with the program.</summary>
    public bool MayLackData { get; init; }

    /// <summary>Reads a set.</summary>
    /// <param name="path">A YAML file, or the name of a set that comes with the program (<see cref="ReadyMadeSets"/>).</param>
    /// <exception cref="BadInputException">It cannot be read, or is not in the form of a calibration set; the message names key and line.</exception>
    public static CalibrationSet Read(string path)
    {
        if (File.Exists(path)) return CalibrationReader.Read(YamlNode.Read(path));
        var text = ReadyMadeSets.Find(path) ?? throw new BadInputException(path, null,
            $"expected a file, or the name of a calibration set that comes along ({string.Join(", ", ReadyMadeSets.Names)}), found neither");
        return CalibrationReader.Read(YamlNode.Parse(text, path)) with { MayLackData = true };
    }

    /// <summary>Reads a set from a text.</summary>
    /// <inheritdoc cref="YamlNode.Parse"/>
    public static CalibrationSet Parse(string text, string file) => CalibrationReader.Read(YamlNode.Parse(text, file));

    /// <summary>
    /// The name under which the original keeps the tokenized set. Templates and the tokenizer have no part in it, so it does not tell sets apart that
    /// differ in those alone.
    /// </summary>
    public string CacheKey
    {
        get
        {
            var sorted = Entries.Order(Comparer<CalibrationEntry>.Create(Compare));
            var (datasets, shuffle) = (string.Join(", ", sorted.Select(Describe)), Shuffles ? "true" : "false");
            var key = FormattableString.Invariant(
                $$"""{"datasets": [{{datasets}}], "max_seq_length": {{MaxLength}}, "seed": {{Seed}}, "shuffle": {{shuffle}}}""");
            var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))[..7];
            return Entries.Any(entry => entry.Count is null)
                ? $"{hash}-length_TBD.parquet"
                : string.Create(CultureInfo.InvariantCulture, $"{hash}-{Entries.Sum(entry => (long)entry.Count!)}.parquet");
        }
    }

    /// <summary>Places of the samples in the order they are used in: that of datasets.Dataset.shuffle, or that of the file.</summary>
    /// <param name="count">Samples of all entries together.</param>
    public int[] Order(int count) => Shuffles ? NumpyRandom.Permutation(Seed, count) : [.. Enumerable.Range(0, count)];

    /// <summary>The rows of all entries as conversations, in the order of the file.</summary>
    /// <param name="dataFolder">Where the datasets are.</param>
    /// <param name="notes">Takes warnings, and the entries whose data is missing if that is allowed.</param>
    /// <param name="cancel">Ends the reading.</param>
    /// <exception cref="BadInputException">Data is missing or damaged, or a row does not fit its formatter or its templates.</exception>
    public IEnumerable<CalibrationConversation> Format(string dataFolder, CalibrationNotes notes, CancellationToken cancel = default)
    {
        var folder = new DatasetFolder(dataFolder);
        foreach (var entry in Entries)
        {
            if (MayLackData && folder.Find(entry).Count == 0)
            {
                notes.Missing.Add(entry);
                continue;
            }
            var formatter = new RowFormatter(entry, notes);
            var count = 0;
            foreach (var row in folder.Rows(entry, cancel))
            {
                count++;
                yield return formatter.Format(row);
            }
            if (count < entry.Count)
                notes.Warn($"{entry.Name}: {entry.Count.Value.ToString(CultureInfo.InvariantCulture)} samples are asked for, "
                    + $"{count.ToString(CultureInfo.InvariantCulture)} are there");
        }
        if (Entries.Count == notes.Missing.Count)
        {
            throw new BadInputException(dataFolder, null, $"expected data of the calibration set {Origin}, found none; of its first dataset "
                + $"were looked for {string.Join(", ", folder.Candidates(Entries[0]))}");
        }
    }

    /// <summary>The samples as the model is to see them.</summary>
    /// <param name="dataFolder">Where the datasets are.</param>
    /// <param name="checkpoint">Whose tokenizer and chat template are used.</param>
    /// <param name="progress">Told after every entry's samples.</param>
    /// <param name="cancel">Ends the reading.</param>
    /// <exception cref="BadInputException">As <see cref="Format"/>; or the checkpoint lacks tokenizer or template, or its template refuses a
    /// row.</exception>
    public CalibrationSamples Load(
        string dataFolder, Checkpoint checkpoint, IProgress<CalibrationProgress>? progress = null, CancellationToken cancel = default) =>
        new SampleTokenizer(this, checkpoint).Run(dataFolder, progress, cancel);

    // As Python sorts (dataset, split, str(subset)).
    private static int Compare(CalibrationEntry a, CalibrationEntry b)
    {
        var order = PythonText.Compare(a.Dataset, b.Dataset);
        if (order == 0) order = PythonText.Compare(a.Split, b.Split);
        return order != 0 ? order : PythonText.Compare(a.Subset ?? "None", b.Subset ?? "None");
    }

    // With the separators and escapes of Python's json.dumps.
    private static string Describe(CalibrationEntry entry)
    {
        var count = entry.Count is { } some ? some.ToString(CultureInfo.InvariantCulture) : "\"all\"";
        return $"[{Text(entry.Dataset)}, {Text(entry.Split)}, {(entry.Subset is null ? "null" : Text(entry.Subset))}, {count}, "
            + $"[{string.Join(", ", entry.Columns.Select(Text))}], {Text(entry.Formatter)}]";
    }

    private static string Text(string text) => Json.Quoted(text);
}
