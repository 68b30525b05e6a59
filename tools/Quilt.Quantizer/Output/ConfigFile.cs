using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Quilt.Formats.Checkpoints;

namespace Quilt.Quantizer.Output;

/// <summary>config.json of a result: the source's, with another quantization_config.</summary>
internal static class ConfigFile
{
    private const string Key = "quantization_config";
    private const string OlderKey = "compression_config";
    private static readonly JsonWriterOptions Indented =
        new() { Indented = true, IndentSize = 2, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The file's bytes. Everything else stays as it was, numbers as they were written.</summary>
    public static byte[] With(ModelConfig config, JsonObject quantization)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Indented))
        {
            writer.WriteStartObject();
            var written = false;
            foreach (var property in config.Json.EnumerateObject())
            {
                if (property.Name is not (Key or OlderKey)) property.WriteTo(writer);
                else if (!written) Write(writer, quantization, out written);
            }
            if (!written) Write(writer, quantization, out _);
            writer.WriteEndObject();
        }
        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }

    private static void Write(Utf8JsonWriter writer, JsonObject quantization, out bool written)
    {
        writer.WritePropertyName(Key);
        quantization.WriteTo(writer);
        written = true;
    }
}
