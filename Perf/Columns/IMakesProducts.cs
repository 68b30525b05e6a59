using Quilt.Kernels.Devices;

namespace Quilt.Perf.Columns;

/// <summary>
/// A bench that knows how many multiplications and additions one run must make; the columns make GOP/s of them. Read before any setup, from the
/// parameters alone.
/// </summary>
public interface IMakesProducts
{
    /// <summary>Operations of one run; a multiplication and an addition are two.</summary>
    double Operations { get; }

    /// <summary>With whose instructions.</summary>
    Isa Target { get; }

    /// <summary>Whether bytes are multiplied, or float32.</summary>
    bool OfBytes { get; }
}
