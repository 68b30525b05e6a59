using System.Text.Json;
using Quilt.Formats.Tensors;
using Quilt.Kernels.Ops;
using Quilt.Runtime;

namespace Quilt.Cli.Inspect;

/// <summary>The JSON form of `inspect`.</summary>
internal static class InspectionJson
{
    /// <summary>A checkpoint folder.</summary>
    public static void Write(Utf8JsonWriter writer, Inspection found, IEnumerable<TensorEntry>? tensors, MemoryPlan? plan = null)
    {
        writer.WriteStartObject();
        writer.WriteString("architecture", found.Architecture);
        if (found.Spec is { } spec)
        {
            writer.WriteNumber("layers", spec.Layers);
            writer.WriteNumber("experts", spec.Experts?.Experts ?? 0);
            writer.WriteNumber("experts_per_token", spec.Experts?.PerToken ?? 0);
            writer.WriteNumber("parameters", found.Parameters);
            writer.WriteNumber("active_parameters", found.ActiveParameters);
            writer.WriteNumber("kv_bytes_per_token", found.KvBytesPerToken(KvType.BFloat16));
            WriteCache(writer, found);
        }
        writer.WriteNumber("tensor_bytes", found.TensorBytes);
        writer.WriteStartObject("schemes");
        foreach (var scheme in found.Kinds.GroupBy(kind => kind.Scheme))
        {
            writer.WriteStartObject(scheme.Key);
            writer.WriteNumber("modules", scheme.Sum(kind => kind.Modules));
            writer.WriteNumber("bytes", scheme.Sum(kind => kind.Bytes));
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
        writer.WriteStartArray("kinds");
        foreach (var (kind, scheme, modules, bytes) in found.Kinds)
        {
            writer.WriteStartObject();
            writer.WriteString("kind", kind);
            writer.WriteString("scheme", scheme);
            writer.WriteNumber("modules", modules);
            writer.WriteNumber("bytes", bytes);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteStartArray("warnings");
        foreach (var warning in found.Warnings) writer.WriteStringValue(warning);
        writer.WriteEndArray();
        if (plan is not null) DevicePlans.Write(writer, plan);
        if (tensors is not null) WriteTensors(writer, tensors);
        writer.WriteEndObject();
    }

    // What a cache takes, by the names that --kv-cache-dtype has.
    private static void WriteCache(Utf8JsonWriter writer, Inspection found)
    {
        writer.WriteStartObject("kv_cache");
        writer.WriteNumber("context_tokens", found.ContextTokens);
        foreach (var type in Enum.GetValues<KvType>())
        {
            writer.WriteStartObject(type.ToString().ToLowerInvariant());
            writer.WriteNumber("bytes_per_token", found.KvBytesPerToken(type));
            writer.WriteNumber("context_bytes", found.KvBytesPerToken(type) * found.ContextTokens);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
    }

    /// <summary>One safetensors file.</summary>
    public static void Write(Utf8JsonWriter writer, SafeTensorsFile file, bool list)
    {
        writer.WriteStartObject();
        writer.WriteString("file", file.Path);
        writer.WriteNumber("tensor_bytes", file.Tensors.Values.Sum(tensor => tensor.Length));
        writer.WriteStartObject("metadata");
        foreach (var (key, value) in file.Metadata) writer.WriteString(key, value);
        writer.WriteEndObject();
        writer.WriteStartObject("types");
        foreach (var type in file.Tensors.Values.GroupBy(tensor => tensor.Type).OrderBy(group => group.Key))
        {
            writer.WriteStartObject(type.Key.FileName());
            writer.WriteNumber("tensors", type.Count());
            writer.WriteNumber("bytes", type.Sum(tensor => tensor.Length));
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
        if (list) WriteTensors(writer, file.Tensors.Values);
        writer.WriteEndObject();
    }

    private static void WriteTensors(Utf8JsonWriter writer, IEnumerable<TensorEntry> tensors)
    {
        writer.WriteStartArray("tensors");
        foreach (var tensor in tensors.OrderBy(t => t.Part ?? t.Name, StringComparer.Ordinal))
        {
            writer.WriteStartObject();
            writer.WriteString("name", tensor.Part ?? tensor.Name);
            writer.WriteString("dtype", tensor.Type.FileName());
            writer.WriteStartArray("shape");
            foreach (var dimension in tensor.Shape) writer.WriteNumberValue(dimension);
            writer.WriteEndArray();
            writer.WriteNumber("bytes", tensor.Length);
            writer.WriteString("file", Path.GetFileName(tensor.File));
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}
