using System.Text;
using Quilt.Formats;
using Quilt.Formats.Grammars;

namespace Quilt.Tests.Formats.Grammars;

internal sealed class JsonSchemaTests
{
    [TestCase("""{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"},"c":{}},"required":["b"]}""",
        """{"b":"x"}|{"a":1,"b":""}|{ "a" : 1 , "b" : "x" }|{"b":"x","c":[{}]}""",
        """{}|{"a":1}|{"b":"x","a":1}|{"b":1}|{"b":"x","d":1}|{"b":"x"} |{"b":"x",}""")]
    [TestCase("""{"type":"object","properties":{"a":{"type":"integer"}},"additionalProperties":{"type":"boolean"}}""",
        """{}|{"a":1}|{"z":true}|{"a":1,"aa":true,"b":false}""", """{"a":true}|{"\u0061":true}|{"z":1}|{"z":true,"a":1}""")]
    [TestCase("""{"type":"object","patternProperties":{"^x":{"type":"integer"},"y$":{"minimum":3}},"additionalProperties":false}""",
        """{}|{"x":0}|{"y":3}|{"xy":3}""", """{"xy":2}|{"z":1}|{"x":"1"}|{"y":2}""")]
    [TestCase("""{"type":"object","minProperties":2,"maxProperties":3,"properties":{"a":{},"b":{},"c":{},"d":{}}}""",
        """{"a":1,"b":2}|{"b":1,"d":2}|{"a":1,"c":2,"d":3}""", """{}|{"a":1}|{"a":1,"b":1,"c":1,"d":1}""")]
    [TestCase("""{"type":"array","prefixItems":[{"type":"integer"},{"type":"string"}],"minItems":1}""", """[1]|[1,"a"]|[ 1 , "a" ]""",
        """[]|["a"]|[1,"a",2]|[1,2]""")]
    [TestCase("""{"type":"array","items":{"type":"integer"},"minItems":2,"maxItems":3}""", "[1,2]|[1,2,3]", "[]|[1]|[1,2,3,4]|[1,,2]|[1,2,]")]
    [TestCase("""{"type":"array","items":{"type":"integer"},"contains":{"minimum":5}}""", "[5]|[1,6]|[7,1]|[1,9,2]", "[]|[1]|[4,3]")]
    [TestCase("""{"type":"string","pattern":"b+","maxLength":3}""", "\"b\"|\"abb\"|\"\\u0062\"|\"b\\n\"|\"\\ud83d\\ude00b\"",
        "\"\"|\"a\"|\"abbb\"|\"\\u0061\"")]
    [TestCase("""{"type":"string","minLength":2,"not":{"enum":["ab","é"]}}""", "\"aa\"|\"abc\"", "\"ab\"|\"\\u0061b\"|\"a\\u0062\"|\"a\"")]
    [TestCase("""{"type":"integer","minimum":-12,"maximum":107}""", "-12|-9|0|9|10|99|100|107", "-13|-0|108|110|200|01|1.0|1e1|-")]
    [TestCase("""{"type":"number","exclusiveMinimum":-0.5,"maximum":10.25}""", "-0.49|-0.4999|0|0.0|10|10.25|10.250|9.99|-0",
        "-0.5|-0.50|-1|10.26|10.3|11|1e0|100")]
    [TestCase("""{"type":"integer","multipleOf":7}""", "0|7|-14|700|7007|49", "1|-0|8|701|07")]
    [TestCase("""{"type":"integer","multipleOf":12,"minimum":10,"maximum":50}""", "12|24|36|48", "0|10|50|60|18")]
    [TestCase("""{"type":"integer","multipleOf":8}""", "0|8|16|104|-1000|24", "4|12|108|100")]
    [TestCase("""{"type":"number","multipleOf":0.25}""", "0|0.25|0.5|0.50|-1.75|3|3.0|3.000", "0.1|0.255|1.24|0.2")]
    [TestCase("""{"type":"number","multipleOf":2.5}""", "0|2.5|5|5.0|7.50|10|-12.5|1002.5", "1|2|0.5|3.5|11|12")]
    [TestCase("""{"anyOf":[{"type":"integer"},{"type":"object","properties":{"r":{"$ref":"#"}},"required":["r"]}]}""",
        """1|{"r":1}|{"r":{"r":2}}""", """{}|{"r":null}|{"r":{}}""")]
    [TestCase("""{"allOf":[{"properties":{"a":{"type":"integer"}},"required":["a"]},{"properties":{"a":{"minimum":3},"b":{}}}],"type":"object"}""",
        """{"a":3}|{"a":4,"b":[]}|{"b":1,"a":5}""", """{"a":2}|{"b":1}|{"a":"3"}|{"a":3,"c":1}""")]
    [TestCase("""{"oneOf":[{"type":"integer","multipleOf":2},{"type":"integer","minimum":10}]}""", null, null)]
    [TestCase("""{"oneOf":[{"type":"integer","maximum":5},{"type":"integer","minimum":3}]}""", "2|-7|6|60", "3|4|5")]
    [TestCase("""{"not":{"type":["string","object"]}}""", "1|1.5|null|true|[1]", "\"a\"|{}")]
    [TestCase("""{"if":{"type":"integer"},"then":{"minimum":3},"else":{"type":"string"}}""", "3|10|\"a\"", "1|1.5|null|[]")]
    [TestCase("""{"type":"object","properties":{"a":{"const":1},"b":{},"c":{}},"dependentRequired":{"a":["b"]},"dependencies":{"c":["a"]}}""",
        """{}|{"b":1}|{"a":1,"b":1}|{"a":1,"b":1,"c":1}""", """{"a":1}|{"c":1}|{"a":1,"c":1}""")]
    [TestCase("""{"type":"object","properties":{"a":{},"c":{}},"dependentSchemas":{"c":{"required":["a"]}}}""",
        """{}|{"a":1}|{"a":1,"c":1}""", """{"c":1}""")]
    [TestCase("""{"enum":["a\"b",1.50,{"k":[1,2]}]}""", "\"a\\\"b\"|1.50|{\"k\":[1,2]}|{ \"k\" : [ 1 , 2 ] }", "1.5|\"a\"|{\"k\":[1]}")]
    [TestCase("""{"type":"object","propertyNames":{"enum":["a","b"]},"additionalProperties":{"type":"null"}}""", """{}|{"a":null}|{"b":null}""",
        """{"c":null}|{"a":1}""")]
    [TestCase("""{"type":"object","additionalProperties":{"type":"array","items":{"$ref":"#y"}},"$defs":{"x":{"$anchor":"y","type":"null"}}}""",
        """{"q":[null,null]}|{}""", """{"q":[1]}|{"q":null}""")]
    public void Takes_texts_of_values_that_meet_the_schema_and_no_others(string schema, string? taken, string? refused)
    {
        if (taken is null)
        {
            Assert.That(() => Grammar.JsonSchema(schema), Throws.TypeOf<BadInputException>());
            return;
        }
        var grammar = Grammar.JsonSchema(schema);
        Assert.Multiple(() =>
        {
            foreach (var text in taken.Split('|')) Assert.That(Takes(grammar, text), Is.True, text);
            foreach (var text in refused!.Split('|')) Assert.That(Takes(grammar, text), Is.False, text);
        });
    }

    [TestCase("date", "2024-02-29|2000-02-29|2023-12-31|0001-01-01", "2023-02-29|1900-02-29|2024-04-31|0000-01-01|2024-1-01|24-01-01")]
    [TestCase("time", "00:00:00Z|23:59:59.5+14:00", "24:00:00Z|12:60:00Z|12:00:00")]
    [TestCase("date-time", "2024-02-29T12:30:45Z", "2024-02-30T12:30:45Z|2024-02-29 12:30:45Z")]
    [TestCase("duration", "P1Y2M3DT4H5M6S|P1W|PT1H|P1D", "P|PT|P1DT|1D|P1S")]
    [TestCase("email", "a.b+c@d-e.fg", "a@|@b|a b@c|a@b@c|.a@b|a@-b")]
    [TestCase("hostname", "a|a-b.c0.d", "-a|a-|a..b|a_b")]
    [TestCase("ipv4", "0.0.0.0|255.1.20.199", "256.1.1.1|1.1.1|01.1.1.1")]
    [TestCase("ipv6", "::|::1|1::|1:2:3:4:5:6:7:8|1::8|::ffff:1.2.3.4|1:2:3:4:5:6:1.2.3.4", ":|1:2:3:4:5:6:7|1:2:3:4:5:6:7:8:9|1::2::3|:::|12345::")]
    [TestCase("uuid", "123E4567-e89b-12d3-a456-426614174000", "123e4567e89b12d3a456426614174000|123e4567-e89b-12d3-a456-42661417400g")]
    [TestCase("uri", "http://a.b:8/c?d#e|mailto:x@y|urn:a:b|http://[::1]/", "a/b|http://a b|//a|http://[::1")]
    [TestCase("json-pointer", "|/a/b|/~0~1", "a|/~2")]
    [TestCase("no-such-format", "anything", null)]
    public void Holds_strings_to_their_format(string format, string taken, string? refused)
    {
        var grammar = Grammar.JsonSchema($$"""{"type":"string","format":"{{format}}"}""");
        Assert.Multiple(() =>
        {
            foreach (var text in taken.Split('|')) Assert.That(Takes(grammar, $"\"{text}\""), Is.True, text);
            foreach (var text in refused?.Split('|') ?? []) Assert.That(Takes(grammar, $"\"{text}\""), Is.False, text);
        });
    }

    [TestCase("""{"properties":{"a":{"uniqueItems":true,"type":"array"}}}""", "#/properties/a/uniqueItems")]
    [TestCase("""{"properties":{"a/b":{"pattern":"(?=x)"}}}""", null)]
    [TestCase("""{"$ref":"other.json"}""", "#/$ref")]
    [TestCase("""{"items":{"minLength":-1}}""", "#/items/minLength")]
    [TestCase("""{"anyOf":[{"type":"strnig"}]}""", "#/anyOf/0/type")]
    [TestCase("""{"type":"integer","multipleOf":0}""", "#/multipleOf")]
    [TestCase("""{"unevaluatedProperties":false}""", "#/unevaluatedProperties")]
    public void Says_where_a_schema_demands_what_cannot_be_held_to(string schema, string? pointer)
    {
        var problem = Assert.Throws<BadInputException>(() => Grammar.JsonSchema(schema))!;
        if (pointer is not null) Assert.That(problem.Part, Is.EqualTo(pointer), problem.Message);
    }

    [TestCase("{\"a\":{\"b\":[1,\"x\",null,true,-1.5e+3]}}", true)]
    [TestCase("{}", true)]
    [TestCase("{ }", true)]
    [TestCase("[]", false)]
    [TestCase("{\"a\":1,}", false)]
    [TestCase(" {}", false)]
    [TestCase("{\"a\":tru}", false)]
    public void Takes_any_object(string text, bool isTaken) => Assert.That(Takes(Grammar.Json, text), Is.EqualTo(isTaken));

    [Test]
    public void Bounds_white_space()
    {
        var run = new string(' ', JsonGrammarOptions.MaxWhiteSpace);
        Assert.Multiple(() =>
        {
            Assert.That(Takes(Grammar.Json, $"{{{run}}}"), Is.True);
            Assert.That(Takes(Grammar.Json, $"{{{run} }}"), Is.False);
        });
    }

    [Test]
    public void Follows_a_pattern_for_white_space()
    {
        var grammar = Grammar.JsonSchema("""{"type":"array","items":{"type":"null"}}""", new JsonGrammarOptions { WhitespacePattern = "_?" });
        Assert.Multiple(() =>
        {
            Assert.That(Takes(grammar, "[_null_,_null]"), Is.True);
            Assert.That(Takes(grammar, "[ null]"), Is.False);
        });
    }

    [Test]
    public void Closes_objects_that_name_properties_if_told_so([Values] bool isClosed)
    {
        var grammar = Grammar.JsonSchema("""{"properties":{"a":{}},"additionalProperties":true,"type":"object"}""",
            new JsonGrammarOptions { DisableAdditionalProperties = isClosed });
        Assert.That(Takes(grammar, """{"z":1}"""), Is.EqualTo(!isClosed));
    }

    [Test]
    public void Grows_with_the_number_of_properties_and_not_faster()
    {
        var size = Grammar.JsonSchema(Wide(100)).Size;
        Assert.That(Grammar.JsonSchema(Wide(400)).Size, Is.LessThan(6 * size));

        static string Wide(int count) =>
            "{\"properties\":{" + string.Join(',', Enumerable.Range(0, count).Select(i => $"\"p{i}\":{{}}")) + "},\"type\":\"object\"}";
    }

    private static bool Takes(Grammar grammar, string text) => ByteMatch.Run(grammar, Encoding.UTF8.GetBytes(text)).IsComplete;
}
