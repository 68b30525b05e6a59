using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Quilt.Formats;
using Quilt.Formats.Grammars;
using Quilt.Formats.Grammars.Json;

namespace Quilt.Tests.Formats.Grammars;

internal sealed class JsonSchemaPropertyTests
{
    private static readonly string[] names = ["a", "b", "cd", "é"];
    private static readonly string[] combining = ["anyOf", "oneOf", "allOf"];

    [Test]
    public void Texts_that_a_grammar_takes_meet_its_schema() => Gen.Int[0, int.MaxValue].Sample(
        seed =>
        {
            var random = new Random(seed);
            var schema = Schema(random, 3).ToJsonString();
            if (Read(schema) is not { } grammar) return;
            for (var i = 0; i < 4; i++)
            {
                if (TextSampler.Sample(grammar, random) is { } text)
                    Assert.That(SchemaChecker.Accepts(schema, text), Is.True, $"{schema} takes {text}");
            }
        },
        iter: 400);

    [Test]
    public void Values_that_meet_a_schema_are_taken_and_others_are_not() => Gen.Int[0, int.MaxValue].Sample(
        seed =>
        {
            var random = new Random(seed);
            var schema = Schema(random, 2);
            var text = schema.ToJsonString();
            if (Read(text) is not { } grammar) return;
            for (var i = 0; i < 8; i++)
            {
                var value = Value(random, schema, 3)?.ToJsonString() ?? "null";
                var isTaken = ByteMatch.Run(grammar, Encoding.UTF8.GetBytes(value)).IsComplete;
                if (isTaken) Assert.That(SchemaChecker.Accepts(text, value), Is.True, $"{text} takes {value}");
                else if (IsPlain(schema)) Assert.That(SchemaChecker.Accepts(text, value), Is.False, $"{text} refuses {value}");
            }
        },
        iter: 400);

    [Test]
    public void A_plain_recognizer_agrees() => Gen.Int[0, int.MaxValue].Sample(
        seed =>
        {
            var random = new Random(seed);
            var schema = Schema(random, 2);
            if (Read(schema.ToJsonString()) is not { } grammar) return;
            var rules = JsonSchemaReader.Read(schema.ToJsonString(), new JsonGrammarOptions());
            var text = random.Next(2) == 0 ? Value(random, schema, 3)?.ToJsonString() ?? "null" : TextSampler.Sample(grammar, random) ?? "";
            if (text.Length > 0 && random.Next(3) == 0) text = text.Remove(random.Next(text.Length), 1);
            if (text.Length > 60) return;
            var isTaken = ByteMatch.Run(grammar, Encoding.UTF8.GetBytes(text)).IsComplete;
            Assert.That(isTaken, Is.EqualTo(NodeOracle.Accepts(rules, text)), $"{schema} {text}");
        },
        iter: 200);

    private static Grammar? Read(string schema)
    {
        try
        {
            return Grammar.JsonSchema(schema);
        }
        catch (BadInputException)
        {
            return null;                                     // nothing meets it, or it is not expressible
        }
    }

    // Without what the grammar is narrower about than the specification: the order of names, other properties, spellings.
    private static bool IsPlain(JsonNode schema) => schema is JsonObject one && one.ContainsKey("type") && one["type"] is JsonValue
        && one["type"]!.ToString() is "integer" or "boolean" or "null" or "string" && !one.ContainsKey("enum");

    private static JsonNode Schema(Random random, int depth)
    {
        switch (random.Next(depth > 0 ? 12 : 6))
        {
            case 0: return With(("type", "integer"), Maybe(random, "minimum", random.Next(-20, 20)), Maybe(random, "maximum", random.Next(-5, 200)),
                Maybe(random, "multipleOf", random.Next(1, 12)));
            case 1: return With(("type", "number"), Maybe(random, "exclusiveMinimum", random.Next(-300, 100) / 100m),
                Maybe(random, "maximum", random.Next(0, 999) / 10m));
            case 2: return With(("type", "string"), Maybe(random, "minLength", random.Next(3)), Maybe(random, "maxLength", random.Next(1, 6)),
                Maybe(random, "pattern", new[] { "^a", "[bc]$", "a.b", "^[a-c]*$", "x|^y", "\"" }[random.Next(6)]));
            case 3: return With(("type", new JsonArray("null", "boolean")));
            case 4: return With(("enum", new JsonArray(1, "a", null, true, 2.5, "b\"", new JsonArray(1))), Maybe(random, "type", "string"));
            case 5: return With(("not", With(("type", names.Length > random.Next(8) ? "string" : "object"), Maybe(random, "minLength", 2))));
            case 6: return With(("type", "array"), ("items", Schema(random, depth - 1)),
                Maybe(random, "minItems", random.Next(3)), Maybe(random, "maxItems", random.Next(1, 4)));
            case 7: return With(("type", "array"), ("prefixItems", new JsonArray(Schema(random, depth - 1), Schema(random, depth - 1))));
            case 8: return With((combining[random.Next(3)], new JsonArray(Schema(random, depth - 1), Schema(random, depth - 1))));
            case 9: return With(("if", Schema(random, 0)), ("then", Schema(random, depth - 1)), ("else", Schema(random, depth - 1)));
            default:
                var properties = new JsonObject();
                foreach (var name in names.Where(_ => random.Next(2) == 0)) properties[name] = Schema(random, depth - 1);
                var required = new JsonArray([.. names.Where(_ => random.Next(4) == 0).Select(name => JsonValue.Create(name))]);
                return With(("type", "object"), ("properties", properties), ("required", required),
                    Maybe(random, "additionalProperties", random.Next(2) == 0 ? false : Schema(random, 0)),
                    Maybe(random, "minProperties", random.Next(3)),
                    Maybe(random, "maxProperties", random.Next(2, 5)), Maybe(random, "patternProperties", With(("^b", Schema(random, 0)))));
        }
    }

    private static JsonObject With(params (string Key, JsonNode? Value)[] members)
    {
        var one = new JsonObject();
        foreach (var (key, value) in members)
        {
            if (key.Length > 0) one[key] = value;
        }
        return one;
    }

    private static (string Key, JsonNode? Value) Maybe(Random random, string key, JsonNode value) => random.Next(3) == 0 ? (key, value) : ("", null);

    // A value that may meet the schema.
    private static JsonNode? Value(Random random, JsonNode? schema, int depth)
    {
        var type = schema is JsonObject one && one["type"] is JsonValue named && random.Next(6) > 0 ? named.ToString() : "";
        switch (type switch { "integer" => 0, "number" => 1, "string" => 2, "array" => 5, "object" => 6, _ => random.Next(depth > 0 ? 7 : 5) })
        {
            case 0: return random.Next(-25, 220);
            case 1: return JsonValue.Create(random.Next(-4000, 12000) / 1000m);
            case 2: return new string([.. Enumerable.Range(0, random.Next(6)).Select(_ => "abcxy\""[random.Next(6)])]);
            case 3: return random.Next(2) == 0;
            case 4: return null;
            case 5:
                var items = schema?["items"] as JsonObject;
                return new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(_ => Value(random, items, depth - 1))]);
            default:
                var members = new JsonObject();
                var properties = schema?["properties"] as JsonObject;
                foreach (var name in names.Where(_ => random.Next(2) == 0)) members[name] = Value(random, properties?[name] as JsonObject, depth - 1);
                return members;
        }
    }
}
