namespace Quilt.Perf.Columns;

/// <summary>
/// A bench that knows how many bytes of memory one run must touch at least; the columns make GB/s of it. Read before any setup, from the parameters
/// alone.
/// </summary>
public interface IMovesBytes
{
    /// <summary>Bytes read and written by one run.</summary>
    long BytesMoved { get; }
}
