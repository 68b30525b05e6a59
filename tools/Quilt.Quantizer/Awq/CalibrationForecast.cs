namespace Quilt.Quantizer.Awq;

/// <summary>What a run will take, told before it begins.</summary>
/// <param name="Samples">Samples.</param>
/// <param name="Tokens">Their tokens.</param>
/// <param name="Batches">Batches in which they go through a layer.</param>
/// <param name="Layers">Layers to be done yet.</param>
/// <param name="Memory">Bytes of memory at the most.</param>
/// <param name="OutputBytes">Bytes of the result's tensors.</param>
/// <param name="WorkBytes">Bytes of disk beside it, while it is at work.</param>
/// <param name="PerLayer">How long a layer takes, by a trial with a few of its experts; null where nobody tried.</param>
internal sealed record CalibrationForecast(
    int Samples, long Tokens, int Batches, int Layers, long Memory, long OutputBytes, long WorkBytes, TimeSpan? PerLayer);
