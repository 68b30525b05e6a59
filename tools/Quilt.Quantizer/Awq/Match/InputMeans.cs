namespace Quilt.Quantizer.Awq.Match;

/// <summary>The mean size |a| of each channel of an input, over the tokens of many samples, kept as a release keeps it.</summary>
internal sealed class InputMeans(InputMeanKind kind, Precision precision, int columns)
{
    private readonly float[] state = new float[columns];

    /// <summary>Tokens so far.</summary>
    public long Tokens { get; private set; }

    /// <summary>The type of <see cref="Result"/>: the newest release keeps float32.</summary>
    public Precision ResultPrecision => kind == InputMeanKind.Sum ? Precision.Float32 : precision;

    /// <summary>The means [columns].</summary>
    public float[] Result => kind == InputMeanKind.Sum ? Array.ConvertAll(state, sum => sum / Tokens) : [.. state];

    /// <summary>Takes one sample's rows [tokens, columns]; a sample of no tokens changes nothing.</summary>
    public void Add(ReadOnlySpan<float> rows)
    {
        var tokens = rows.Length / columns;
        if (tokens == 0) return;
        var sums = new double[columns];
        for (var i = 0; i < rows.Length; i++) sums[i % columns] += Math.Abs(rows[i]);
        for (var c = 0; c < columns; c++)
        {
            state[c] = kind switch
            {
                InputMeanKind.Sum => state[c] + (float)sums[c],
                InputMeanKind.FirstSampleAsSum when Tokens == 0 => precision.Round(sums[c]),
                _ => precision.Round(precision.Round(precision.Round(state[c] * Tokens) + precision.Round(sums[c])) / (Tokens + tokens)),
            };
        }
        Tokens += tokens;
    }
}
