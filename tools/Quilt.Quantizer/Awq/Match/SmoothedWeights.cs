namespace Quilt.Quantizer.Awq.Match;

/// <summary>Weights with a layer's scales in them, rounded as the release rounds: after each scaling, by way of float32.</summary>
internal static class SmoothedWeights
{
    /// <summary>round(W · s), a number a column.</summary>
    public static float[] Columns(float[] weight, double[]? scales, Precision precision)
    {
        if (scales is null) return weight;
        var scaled = new float[weight.Length];
        for (var i = 0; i < weight.Length; i++) scaled[i] = precision.Round(weight[i] * scales[i % scales.Length]);
        return scaled;
    }

    /// <summary>round(W / s), a number a row.</summary>
    public static float[] Rows(float[] weight, double[]? scales, Precision precision)
    {
        if (scales is null) return weight;
        var columns = weight.Length / scales.Length;
        var scaled = new float[weight.Length];
        for (var i = 0; i < weight.Length; i++) scaled[i] = precision.Round(weight[i] / scales[i / columns]);
        return scaled;
    }

    /// <summary>An expert with all its scales.</summary>
    public static ExpertMatrices Of(ExpertMatrices expert, double[]? norm, double[]? up, Precision precision) => new(
        Columns(expert.Gate, norm, precision), Rows(Columns(expert.Up, norm, precision), up, precision), Columns(expert.Down, up, precision));
}
