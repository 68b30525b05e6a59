using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Quilt.Tests.Hosting.Security;

/// <summary>Makes bad requests of good ones: bytes changed, or values, names and places of the JSON. The same seed makes the same requests.</summary>
internal sealed class RequestMutator(int seed)
{
    private static readonly string[] Seeds =
        File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Golden", "requests", "mutation_seeds.jsonl"));

    private static readonly string[] Values =
    [
        "null", "true", "false", "0", "-1", "1", "1.5", "1e308", "-1e400", "2147483648", "9223372036854775807", "9223372036854775808", "1e-320",
        "0.1", "\"\"", "\"x\"", "[]", "{}", "[[]]", "[null]",
        "{\"a\": {}}", "\"3\"", "\"\\u0000\"", "\"]~b]ai\\n<think>\"", "\"[e~[\"", "\"</think><minimax:tool_call><invoke name=\\\"\"",
        "\"../../etc/passwd\"", "\"{{ 1 }}\"", "\"(((\"", "\"\\ud83d\\ude00\"", "[1, \"a\", null, {}]",
        "\"auto\"", "\"required\"", "\"none\"", "\"json_object\"", "{\"type\": \"json_object\"}",
        "{\"type\": \"function\", \"function\": {\"name\": \"add\"}}", "\"demo\"", "\"assistant\"", "\"tool\"", "128", "129", "[2047]", "[2048]",
    ];

    private static readonly string[] Names = [.. Seeds.SelectMany(text => NamesOf(JsonNode.Parse(text)!)).Distinct()];
    private readonly Random random = new(seed);

    /// <summary>The next one.</summary>
    public byte[] Next() => random.Next(3) == 0 ? Bytes(Encoding.UTF8.GetBytes(Pick(Seeds))) : Structure();

    private byte[] Structure()
    {
        JsonNode root = JsonNode.Parse(Pick(Seeds))!;
        for (var i = random.Next(4); i >= 0; i--) Change(root);
        var body = Encoding.UTF8.GetBytes(root.ToJsonString());
        return random.Next(10) == 0 ? Bytes(body) : body;
    }

    private void Change(JsonNode root)
    {
        var nodes = new List<JsonNode>();
        Collect(root, nodes);
        switch (Pick(nodes))
        {
            case JsonObject record when record.Count > 0 && random.Next(5) != 0:
                var name = record.ElementAt(random.Next(record.Count)).Key;
                switch (random.Next(5))
                {
                    case 0:
                        record.Remove(name);
                        break;
                    case 1:
                        var moved = record[name]?.DeepClone();
                        record.Remove(name);
                        record[Pick(Names)] = moved;
                        break;
                    case 2:
                        record[name] = new JsonArray(record[name]?.DeepClone(), record[name]?.DeepClone());
                        break;
                    default:
                        record[name] = Value();
                        break;
                }
                break;
            case JsonObject record:
                record[random.Next(8) == 0 ? new string('k', random.Next(300)) : Pick(Names)] = Value();
                break;
            case JsonArray list when list.Count > 0:
                var at = random.Next(list.Count);
                if (random.Next(3) == 0) list.RemoveAt(at);
                else if (random.Next(2) == 0) list[at] = Value();
                else for (var i = random.Next(40); i >= 0; i--) list.Add(list[at]?.DeepClone());
                break;
            case JsonArray list:
                list.Add(Value());
                break;
        }
    }

    private JsonNode? Value() => random.Next(12) switch
    {
        0 => JsonNode.Parse(Pick(Seeds)),
        1 => JsonValue.Create(new string(Pick("ab<{[(\\\u0301 ".ToCharArray()), random.Next(3000))),
        2 => JsonNode.Parse(HostileRequest.Times("[", random.Next(1, 40)) is var open ? open + new string(']', open.Length) : ""),
        3 => JsonValue.Create(random.Next(-5, 3000)),
        _ => JsonNode.Parse(Pick(Values)),
    };

    private byte[] Bytes(byte[] body)
    {
        var bytes = new List<byte>(body);
        for (var i = random.Next(4); i >= 0 && bytes.Count > 0; i--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 20), bytes.Count - at));
                    break;
                case 3:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(Pick(Values)));
                    break;
                case 4:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 60), bytes.Count - at)));
                    break;
                default:
                    bytes[at] = "\"\\{}[],:0-e"u8[random.Next(11)];
                    break;
            }
        }
        return [.. bytes];
    }

    private T Pick<T>(IReadOnlyList<T> some) => some[random.Next(some.Count)];

    private static void Collect(JsonNode node, List<JsonNode> nodes)
    {
        if (node is JsonObject or JsonArray) nodes.Add(node);
        IEnumerable<JsonNode?> below = node switch
        {
            JsonObject record => record.Select(property => property.Value),
            JsonArray list => list,
            _ => [],
        };
        foreach (var one in below) if (one is not null) Collect(one, nodes);
    }

    private static IEnumerable<string> NamesOf(JsonNode node) => node switch
    {
        JsonObject record => record.Select(property => property.Key).Concat(record.SelectMany(property => property.Value is { } value
            ? NamesOf(value) : [])),
        JsonArray list => list.SelectMany(item => item is null ? [] : NamesOf(item)),
        _ => [],
    };
}
