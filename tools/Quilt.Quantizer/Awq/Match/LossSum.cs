namespace Quilt.Quantizer.Awq.Match;

/// <summary>The mean squared error of an output over many samples, kept as a release keeps it.</summary>
internal sealed class LossSum(LossKind kind, Precision precision)
{
    private double total;
    private long outputs;

    /// <summary>What the release compares.</summary>
    public double Result => kind switch
    {
        LossKind.MeanOfMeans => total / outputs,
        LossKind.RoundedSum => precision.Round((float)total / outputs),
        _ => (float)total / outputs,
    };

    /// <summary>Takes one sample's outputs, wanted and found.</summary>
    public void Add(ReadOnlySpan<float> wanted, ReadOnlySpan<float> found)
    {
        if (wanted.Length == 0) return;
        var sum = 0.0;
        for (var i = 0; i < wanted.Length; i++)
        {
            var d = precision.Round(wanted[i] - found[i]);
            sum += precision.Round(d * d);
        }
        total = kind switch
        {
            LossKind.MeanOfMeans => total + precision.Round(sum / wanted.Length),
            LossKind.RoundedSum => precision.Round((float)total + precision.Round(sum)),
            _ => (float)total + precision.Round(sum),
        };
        outputs += wanted.Length;
    }
}
