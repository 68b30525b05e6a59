using System.Text;
using System.Text.Json;
using Quilt.Formats;

namespace Quilt.Cluster.Simulation;

/// <summary>
/// Traces as lines of JSON: <c>{"id":"c1.1","after":"c1.0","delay":3.2,"session":"c1","tenant":"a","prompt":[["sys7",1200],["c1u1",85]],
/// "reply":["c1r1",200]}</c>; one that follows nobody has <c>"at"</c>, in seconds.
/// </summary>
internal static class TraceFile
{
    private const int MaxTokens = 1 << 24;

    /// <summary>Writes a trace.</summary>
    public static void Write(IEnumerable<TraceRequest> trace, TextWriter to)
    {
        using var buffer = new MemoryStream();
        foreach (var request in trace)
        {
            buffer.SetLength(0);
            using (var writer = new Utf8JsonWriter(buffer)) Write(request, writer);
            to.Write(Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
            to.Write('\n');
        }
    }

    /// <summary>Reads a trace.</summary>
    /// <param name="from">The lines.</param>
    /// <param name="file">What to call it in messages.</param>
    /// <exception cref="BadInputException">A line is none of a trace; the message names it.</exception>
    public static List<TraceRequest> Read(TextReader from, string file)
    {
        var trace = new List<TraceRequest>();
        var ids = new HashSet<string>(StringComparer.Ordinal);
        for (var number = 1; from.ReadLine() is { } line; number++)
        {
            if (string.IsNullOrWhiteSpace(line)) continue;
            var source = $"{file}: line {number}";
            var request = Request(line, source);
            if (request.After is { } after && !ids.Contains(after))
                throw new BadInputException(source, "after", $"expected the id of a line before, found '{after}'");
            if (!ids.Add(request.Id)) throw new BadInputException(source, "id", $"expected an id of its own, found '{request.Id}' again");
            trace.Add(request);
        }
        if (trace.Count == 0) throw new BadInputException(file, null, "expected at least one request, found none");
        return trace;
    }

    private static void Write(TraceRequest request, Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("id", request.Id);
        if (request.After is null || request.At > 0) writer.WriteNumber("at", request.At);
        if (request.After is not null)
        {
            writer.WriteString("after", request.After);
            writer.WriteNumber("delay", request.Delay);
        }
        if (request.Session is not null) writer.WriteString("session", request.Session);
        if (request.Tenant is not null) writer.WriteString("tenant", request.Tenant);
        writer.WriteStartArray("prompt");
        foreach (var part in request.Prompt) Write(part, writer);
        writer.WriteEndArray();
        writer.WritePropertyName("reply");
        Write(request.Reply, writer);
        writer.WriteEndObject();
    }

    private static void Write(TracePart part, Utf8JsonWriter writer)
    {
        writer.WriteStartArray();
        writer.WriteStringValue(part.Content);
        writer.WriteNumberValue(part.Tokens);
        writer.WriteEndArray();
    }

    private static TraceRequest Request(string line, string source)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? Request(document.RootElement, source)
                : throw new BadInputException(source, null, $"expected a JSON object, found {Shown(document.RootElement)}");
        }
        catch (JsonException bad)
        {
            throw new BadInputException(source, null, $"expected JSON: {bad.Message}", bad);
        }
    }

    private static TraceRequest Request(JsonElement line, string source)
    {
        foreach (var field in line.EnumerateObject())
        {
            if (field.Name is not ("id" or "at" or "after" or "delay" or "session" or "tenant" or "prompt" or "reply"))
                throw new BadInputException(source, field.Name, "expected id, at, after, delay, session, tenant, prompt or reply, found another key");
        }
        if (!line.TryGetProperty("prompt", out var parts) || parts.ValueKind != JsonValueKind.Array || parts.GetArrayLength() == 0)
            throw new BadInputException(source, "prompt", "expected a list of [content, tokens], found none");
        if (!line.TryGetProperty("reply", out var reply)) throw new BadInputException(source, "reply", "expected [content, tokens], found nothing");
        var prompt = parts.EnumerateArray().Select((part, i) => Part(part, source, $"prompt[{i}]")).ToArray();
        if (prompt.Sum(part => (long)part.Tokens) > MaxTokens)
            throw new BadInputException(source, "prompt", $"expected at most {MaxTokens} tokens, found more");
        return new(Text(line, "id", source) ?? throw new BadInputException(source, "id", "expected a text, found nothing"), prompt,
            Part(reply, source, "reply"))
        {
            At = Seconds(line, "at", source),
            After = Text(line, "after", source),
            Delay = Seconds(line, "delay", source),
            Session = Text(line, "session", source),
            Tenant = Text(line, "tenant", source),
        };
    }

    private static TracePart Part(JsonElement part, string source, string key) =>
        part.ValueKind == JsonValueKind.Array && part.GetArrayLength() == 2 && part[0].ValueKind == JsonValueKind.String
            && part[1].ValueKind == JsonValueKind.Number && part[1].TryGetInt32(out var tokens) && tokens is >= 1 and <= MaxTokens
            ? new TracePart(string.Intern(part[0].GetString()!), tokens)
            : throw new BadInputException(source, key, $"expected [content, 1 to {MaxTokens} tokens], found {Shown(part)}");

    private static string? Text(JsonElement line, string key, string source) =>
        !line.TryGetProperty(key, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : throw new BadInputException(source, key, $"expected a text, found {Shown(value)}");

    private static double Seconds(JsonElement line, string key, string source) =>
        !line.TryGetProperty(key, out var value) ? 0
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds) && seconds is >= 0 and <= 1e9 ? seconds
        : throw new BadInputException(source, key, $"expected seconds from 0 to 1e9, found {Shown(value)}");

    private static string Shown(JsonElement value) => value.GetRawText() is { Length: <= 60 } text ? text : value.GetRawText()[..60] + "…";
}
