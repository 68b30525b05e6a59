namespace Quilt.Runtime;

/// <summary>How far loading has come.</summary>
/// <param name="BytesDone">Bytes of tensors read or passed over; all of them in the last report.</param>
/// <param name="BytesTotal">Bytes of tensors in the checkpoint.</param>
/// <param name="What">The module just read.</param>
public readonly record struct LoadProgress(long BytesDone, long BytesTotal, string What);
