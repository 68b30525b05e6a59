using System.Diagnostics;

namespace Quilt.Quantizer.Awq;

/// <summary>Tells how far a run is and how long the rest will take, by the layers it has done.</summary>
internal sealed class CalibrationClock(int layers, IProgress<LayerProgress>? progress)
{
    private long start;
    private int first = -1;
    private int current;

    /// <summary>A layer begins.</summary>
    public void Begin(int layer)
    {
        current = layer;
        if (first < 0) (first, start) = (layer, Stopwatch.GetTimestamp());
        Report(0, 1);
    }

    /// <summary>So much of the layer is done.</summary>
    public void Report(int done, int of)
    {
        if (progress is null) return;
        var share = (double)done / of;
        var worked = current - first + share;
        TimeSpan? left = worked > 0.02 ? Stopwatch.GetElapsedTime(start) * ((layers - current - share) / worked) : null;
        progress.Report(new(current, layers, share, left));
    }
}
