using System.Text.Json;
using System.Text.Json.Serialization;
using Quilt.Formats;

namespace Quilt.Quantizer.Report;

/// <summary>
/// A <see cref="QuantizeReport"/> as JSON, by its properties' names in snake case. A figure that is no number is written as "NaN": it should not cost
/// the report of a run of hours.
/// </summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(QuantizeReport))]
internal sealed partial class ReportJson : JsonSerializerContext
{
    /// <summary>Writes a report.</summary>
    public static void Write(QuantizeReport report, Stream output) => JsonSerializer.Serialize(output, report, Default.QuantizeReport);

    /// <summary>Reads one that <see cref="Write"/> wrote.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">What to call it in messages.</param>
    /// <exception cref="BadInputException">It is none.</exception>
    public static QuantizeReport Read(ReadOnlySpan<byte> json, string source)
    {
        try
        {
            return JsonSerializer.Deserialize(json, Default.QuantizeReport)
                ?? throw new BadInputException(source, null, "expected a report, found null");
        }
        catch (JsonException problem)
        {
            throw new BadInputException(source, problem.Path, $"expected a report of quantizing, found something else: {problem.Message}", problem);
        }
    }
}
