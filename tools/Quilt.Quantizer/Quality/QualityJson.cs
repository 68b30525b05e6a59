using System.Text.Json.Serialization;

namespace Quilt.Quantizer.Quality;

/// <summary>A <see cref="QualityResult"/> as JSON, by its properties' names in snake case.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(QualityResult))]
internal sealed partial class QualityJson : JsonSerializerContext;
