using System.Text;
using System.Text.Json.Nodes;

namespace Quilt.Tests.Formats;

/// <summary>Damages files as disks, editors and careless tools do, and JSON as hostile people do. The same number gives the same damage.</summary>
internal static class Mutation
{
    // JsonNode cannot write half a surrogate pair; it takes this one's place at the end.
    private const string LoneSurrogate = "lone-surrogate";

    private static readonly string[] Values =
    [
        "null", "true", "false", "0", "-0", "1", "-1", "2", "3", "7", "16", "128", "65536", "2147483647", "2147483648", "4294967295", "268435456",
        "9223372036854775807", "9223372036854775808",
        "18446744073709551615", "-9223372036854775809", "0.5", "-0.5", "1.0", "1e2", "1e-300", "1e300", "1e999", "-1e999",
        "123456789012345678901234567890", "\"\"", "\"x\"", "\"1\"", "\"NaN\"",
        "\"F32\"", "\"BF16\"", "\"I32\"", "\"F8_E4M3\"", "\"group\"", "\"block\"", "\"channel\"", "\"tensor\"", "\"int\"", "\"float\"", "\"re:(\"",
        "\"re:(a*)*b\"", "\"re:.*\"", "\"Linear\"", "\"../x\"", "\"\\u0000\"",
        $"\"{LoneSurrogate}\"", "[]", "[null]", "[0]", "[-1]", "[1, 2, 3]", "[128, 128]", "[[[[]]]]", "[9223372036854775807, 9223372036854775807]",
        "[18446744073709551615]", "[\"a\"]", "{}", "{\"\": {}}", "{\"a\": null}", "{\"type\": \"yarn\", \"factor\": 4}",
    ];

    /// <summary>One to three edits of bytes: bits turned, the end cut off, a range put in, taken out, doubled or cleared.</summary>
    public static byte[] Bytes(byte[] file, Random random)
    {
        var bytes = new List<byte>(file);
        for (var edits = random.Next(1, 4); edits > 0 && bytes.Count > 0; edits--)
        {
            // Half of the edits hit the first bytes, where a format keeps its lengths.
            var at = random.Next(random.Next(2) == 0 ? Math.Min(bytes.Count, 64) : bytes.Count);
            var length = Math.Min(random.Next(1, 40), bytes.Count - at);
            switch (random.Next(6))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes.RemoveRange(at, bytes.Count - at); break;
                case 2: bytes.RemoveRange(at, length); break;
                case 3: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
                case 4:
                    var noise = new byte[length];
                    random.NextBytes(noise);
                    bytes.InsertRange(at, noise);
                    break;
                default:
                    for (var i = at; i < at + length; i++) bytes[i] = (byte)(random.Next(2) * 255);
                    break;
            }
        }
        return [.. bytes];
    }

    /// <summary>One to three edits of values: another value or type in its place, two changed over, one taken out, a name given twice.</summary>
    public static byte[] Json(byte[] file, Random random)
    {
        var root = JsonNode.Parse(file)!;
        for (var edits = random.Next(1, 4); edits > 0; edits--)
        {
            var places = new List<(JsonNode Parent, object Key)>();
            Collect(root, places);
            if (places.Count == 0) break;
            var (parent, key) = places[random.Next(places.Count)];
            switch (random.Next(5))
            {
                case 0: Remove(parent, key); break;
                case 1:
                    var (other, otherKey) = places[random.Next(places.Count)];
                    Replace(parent, key, Get(other, otherKey)?.DeepClone());
                    break;
                default: Replace(parent, key, JsonNode.Parse(Values[random.Next(Values.Length)])); break;
            }
        }

        var text = root.ToJsonString().Replace(LoneSurrogate, "\\ud800", StringComparison.Ordinal);
        if (random.Next(8) == 0 && root is JsonObject { Count: > 0 } map)
        {
            var (name, value) = map.ElementAt(random.Next(map.Count));
            text = $"{{{JsonValue.Create(name).ToJsonString()}:{value?.ToJsonString() ?? "null"},{text[1..]}";
        }
        return Encoding.UTF8.GetBytes(text);
    }

    /// <summary>The JSON header of a safetensors file edited as <see cref="Json"/> does, its length put right.</summary>
    public static byte[] Header(byte[] file, Random random)
    {
        var length = (int)BitConverter.ToInt64(file);
        var header = Json(file[8..(8 + length)], random);
        return [.. BitConverter.GetBytes((long)header.Length), .. header, .. file[(8 + length)..]];
    }

    private static void Collect(JsonNode node, List<(JsonNode Parent, object Key)> places)
    {
        if (node is JsonObject map)
        {
            foreach (var (name, child) in map)
            {
                places.Add((node, name));
                if (child is not null) Collect(child, places);
            }
        }
        else if (node is JsonArray list)
        {
            for (var i = 0; i < list.Count; i++)
            {
                places.Add((node, i));
                if (list[i] is { } child) Collect(child, places);
            }
        }
    }

    private static JsonNode? Get(JsonNode parent, object key) => parent is JsonObject map ? map[(string)key] : parent[(int)key];

    private static void Replace(JsonNode parent, object key, JsonNode? value)
    {
        if (parent is JsonObject map) map[(string)key] = value;
        else parent[(int)key] = value;
    }

    private static void Remove(JsonNode parent, object key)
    {
        if (parent is JsonObject map) map.Remove((string)key);
        else ((JsonArray)parent).RemoveAt((int)key);
    }
}
