using Quilt.Quantizer.Output;

namespace Quilt.Quantizer.Awq;

/// <summary>Takes all samples through one layer after another and finds the scales of its experts: Quilt's own way, or that of a release.</summary>
internal interface ILayerCalibration : IDisposable
{
    /// <summary>How long a layer will take; null where nobody knows.</summary>
    TimeSpan? Forecast(CancellationToken cancel);

    /// <summary>Makes the streams that enter layer 0.</summary>
    void Embed(CancellationToken cancel);

    /// <summary>Takes the samples through a layer; what enters the next one is then there.</summary>
    /// <returns>What is to be written of the layer otherwise than the source has it.</returns>
    PartChanges Run(int index, CancellationToken cancel, out LayerNote note);

    /// <summary>Takes the samples through a layer that is written already.</summary>
    void Skip(int index, CancellationToken cancel);
}
