using System.Text.Json;
using Quilt.Formats;

namespace Quilt.Quantizer.Calibration;

/// <summary>A row of a dataset.</summary>
/// <param name="Values">An object: columns in the order of the file.</param>
/// <param name="File">The file it is in.</param>
/// <param name="Number">Its place in the split, from 1.</param>
internal sealed record CalibrationRow(JsonElement Values, string File, long Number)
{
    /// <summary>A complaint about this row.</summary>
    public BadInputException Bad(string problem, Exception? inner = null) =>
        new(File, FormattableString.Invariant($"row {Number}"), problem, inner);
}
