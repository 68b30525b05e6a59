using System.Text.Json.Nodes;
using Quilt.Formats;
using Quilt.Quantizer.Plan;

namespace Quilt.Quantizer.Output;

/// <summary>quantization_config, and the config.json it stands in.</summary>
internal static class QuantizationConfig
{
    /// <summary>The source's config.json with what the result is; the rest of it as it was.</summary>
    /// <exception cref="BadInputException">What is stored cannot be said in a config.</exception>
    public static byte[] Config(QuantizePlan plan) => throw new NotImplementedException();
}
