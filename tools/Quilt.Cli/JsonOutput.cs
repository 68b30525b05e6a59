using System.Text.Encodings.Web;
using System.Text.Json;

namespace Quilt.Cli;

/// <summary>One JSON document on standard output.</summary>
internal static class JsonOutput
{
    private static readonly JsonWriterOptions Options = new() { Indented = false, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the document and ends the line.</summary>
    public static void Print(Action<Utf8JsonWriter> write)
    {
        using var output = new MemoryStream();
        using (var writer = new Utf8JsonWriter(output, Options)) write(writer);
        output.WriteByte((byte)'\n');
        using var stdout = Console.OpenStandardOutput();
        output.WriteTo(stdout);
    }

    /// <summary>Writes a property that is a list of token ids.</summary>
    public static void WriteIds(this Utf8JsonWriter writer, string name, IEnumerable<int> ids)
    {
        writer.WriteStartArray(name);
        foreach (var id in ids) writer.WriteNumberValue(id);
        writer.WriteEndArray();
    }
}
