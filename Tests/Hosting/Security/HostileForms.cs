using static Quilt.Tests.Hosting.Security.HostileRequest;

namespace Quilt.Tests.Hosting.Security;

/// <summary>Part A of the security list, continued: schemas, patterns and grammars that cannot be compiled, or only at a price.</summary>
internal static class HostileForms
{
    private static readonly string[] Schemas =
    [
        "1", "\"x\"", "[]", "null", "{\"type\": \"nonsense\"}", "{\"type\": 5}", "{\"type\": {}}", "{\"type\": [\"string\", 5]}",
        "{\"properties\": 5}",
        "{\"properties\": {\"a\": 5}}", "{\"required\": 5}", "{\"required\": [5]}", "{\"items\": 5}", "{\"enum\": 5}", "{\"enum\": []}",
        "{\"type\": \"string\", \"pattern\": \"(((\"}", "{\"type\": \"string\", \"pattern\": 5}", "{\"type\": \"string\", \"pattern\": \"[z-a]\"}",
        "{\"type\": \"string\", \"pattern\": \"(a+)+$\"}", "{\"type\": \"string\", \"pattern\": \"(?<=a)b\\\\1\"}",
        "{\"type\": \"string\", \"pattern\": \"a{1000000000}\"}",
        "{\"type\": \"string\", \"pattern\": \"(((((a{99}){99}){99}){99}){99})\"}", "{\"type\": \"string\", \"pattern\": \"(a|b|ab)*c(.*d){20}\"}",
        "{\"type\": \"string\", \"minLength\": 2147483648}", "{\"type\": \"string\", \"minLength\": -1}",
        "{\"type\": \"string\", \"minLength\": 5, \"maxLength\": 1}",
        "{\"type\": \"string\", \"maxLength\": 1e400}", "{\"type\": \"string\", \"format\": \"nonsense\"}",
        "{\"type\": \"array\", \"minItems\": 2147483648}",
        "{\"type\": \"array\", \"maxItems\": -5}", "{\"type\": \"number\", \"multipleOf\": 0}", "{\"type\": \"number\", \"multipleOf\": 1e-300}",
        "{\"type\": \"integer\", \"minimum\": 1e400}", "{\"type\": \"integer\", \"minimum\": 9, \"maximum\": 1}", "{\"$ref\": \"#\"}",
        "{\"$ref\": \"#/nowhere\"}",
        "{\"$ref\": 5}", "{\"$ref\": \"http://169.254.169.254/x\"}", "{\"$ref\": \"file:///etc/passwd\"}", "{\"$ref\": \"#/%ff%00\"}",
        "{\"$ref\": \"#/$defs/a\", \"$defs\": {\"a\": {\"$ref\": \"#/$defs/b\"}, \"b\": {\"$ref\": \"#/$defs/a\"}}}",
        "{\"anyOf\": []}", "{\"anyOf\": 5}", "{\"allOf\": [{\"type\": \"string\"}, {\"type\": \"integer\"}]}", "{\"not\": {}}",
        "{\"oneOf\": [{}, {}, {}]}",
        "{\"if\": {}, \"then\": {}, \"else\": false}", "{\"type\": \"object\", \"propertyNames\": {\"pattern\": \"(\"}}",
        "{\"type\": \"object\", \"patternProperties\": {\"(\": {}}}",
        "{\"type\": \"object\", \"additionalProperties\": {\"$ref\": \"#\"}, \"minProperties\": 1000000000}",
        "{\"const\": {\"a\": [1e308, -0.0, \"\\u0000\"]}}",
        "{\"type\": \"object\", \"properties\": {\"</invoke>\": {}, \"]]>\": {}, \"\": {}, \"\\u0000\": {}}}",
    ];

    /// <summary>Schemas as a form, as a tool's parameters that are required, and as those of a strict tool.</summary>
    public static IEnumerable<HostileRequest> OfSchemas()
    {
        foreach (var schema in (string[])[.. Schemas, Nested(28), Nested(55), Enumerated(30_000), Wide(3_000), Alternatives(300), Exploding(24)])
        {
            // 200 where it is a schema after all: JSON Schema allows much.
            yield return OfChat("CVE-2025-48942",
                $"\"response_format\": {{\"type\": \"json_schema\", \"json_schema\": {{\"name\": \"x\", \"schema\": {schema}}}}}", 200, 400);
            var tool = $"\"tools\": [{{\"type\": \"function\", \"function\": {{\"name\": \"f\", \"strict\": true, \"parameters\": {schema}}}}}]";
            yield return OfChat("CVE-2025-48944", $"{tool}, \"tool_choice\": \"required\"", 200, 400);
            yield return OfChat("CVE-2025-48944", tool, 200, 400);
        }
        foreach (var tools in (string[])["5", "{}", "[5]", "[{}]", "[{\"type\": \"function\"}]", "[{\"type\": \"function\", \"function\": 5}]",
            "[{\"type\": \"function\", \"function\": {\"name\": 5}}]", "[{\"type\": \"function\", \"function\": {\"name\": \"\"}}]",
            "[{\"type\": \"python\"}]",
            "[{\"type\": \"function\", \"function\": {\"name\": \"f\", \"parameters\": 5}}]",
                $"[{List("{\"type\": \"function\", \"function\": {\"name\": \"f\"}}", 2000)}]"])
        {
            yield return OfChat("CVE-2025-48944", $"\"tools\": {tools}");
        }
    }

    /// <summary>Patterns, grammars, choices and tags.</summary>
    public static IEnumerable<HostileRequest> OfGrammars()
    {
        foreach (var form in (string[])["\"regex\": \"(((\"", "\"regex\": 5", "\"regex\": \"[\"", "\"regex\": \"\\\\\"",
            "\"regex\": \"(?P<a>x)(?P=a)\"", "\"regex\": \"a{2,1}\"",
            "\"grammar\": \"\"", "\"grammar\": 5", "\"grammar\": \"start: (((\"", "\"grammar\": \"root ::= missing\"",
            "\"choice\": []", "\"choice\": 5", "\"choice\": [5]", $"\"choice\": [{List("\"a\"", 100_000)}]", "\"json\": \"{\"", "\"json\": 5",
            "\"structural_tag\": 5",
            "\"structural_tag\": \"{\"", "\"structural_tag\": {\"type\": \"structural_tag\"}", "\"json\": {}, \"regex\": \"a\"",
                "\"whitespace_pattern\": \"(((\", \"json\": {\"type\": \"object\"}"])
        {
            yield return OfChat("CVE-2025-48943", $"\"structured_outputs\": {{{form}}}");
        }
        foreach (var form in (string[])[$"\"regex\": \"{Times("(", 100_000)}\"", $"\"regex\": \"{Times("(a|", 200)}b{Times(")", 200)}\"",
            "\"regex\": \"(a*)*(b*)*(c*)*$\"",
            $"\"regex\": \"{Times("a?", 3000)}{Times("a", 3000)}\"", "\"regex\": \"(((((a{99}){99}){99}){99}){99})\"", "\"regex\": \".{100000}\"",
                $"\"regex\": \"{Times("x", 1 << 20)}\"",
            "\"grammar\": \"root ::= \"", "\"grammar\": \"root ::= root\"", "\"grammar\": \"root ::= root root | \\\"a\\\"\"",
            $"\"grammar\": \"root ::= {Times("(", 50_000)}\"",
            $"\"grammar\": \"root ::= {string.Join(" | ", Enumerable.Range(0, 5000).Select(i => $"\\\"w{i}\\\""))}\"",
            $"\"choice\": [{string.Join(", ", Enumerable.Range(0, 60_000).Select(i => $"\"choice {i}\""))}]", "\"choice\": [\"\"]",
            "\"structural_tag\": {\"type\": \"structural_tag\", \"format\": " +
                $"{Times("{\"type\": \"sequence\", \"elements\": [", 20)}{Times("]}", 20)}}}"])
        {
            yield return OfChat("CVE-2025-48943", $"\"structured_outputs\": {{{form}}}", 200, 400);
        }
        yield return OfChat("CVE-2025-48942", "\"response_format\": {\"type\": \"json_schema\"}");
        yield return OfChat("CVE-2025-48942", "\"response_format\": 5");
        yield return OfChat("CVE-2025-48942", "\"response_format\": {\"type\": \"json_object\"}, \"structured_outputs\": {\"regex\": \"a\"}");
    }

    private static string Nested(int depth) => $"{Times("{\"type\": \"array\", \"items\": ", depth)}{{}}{Times("}", depth)}";

    private static string Enumerated(int count) => $"{{\"enum\": [{string.Join(", ", Enumerable.Range(0, count).Select(i => $"\"value {i}\""))}]}}";

    private static string Wide(int count) =>
        "{\"type\": \"object\", \"properties\": {" +
        string.Join(", ", Enumerable.Range(0, count).Select(i => $"\"p{i}\": {{\"type\": \"string\"}}")) + "}}";

    private static string Alternatives(int count) =>
        "{\"oneOf\": [" + string.Join(", ", Enumerable.Range(0, count)
            .Select(i => $"{{\"type\": \"object\", \"properties\": {{\"a{i % 7}\": {{}}, \"b{i}\": {{}}}}}}")) + "]}";

    // Each definition holds the one before it twice: small to write, large to expand.
    private static string Exploding(int levels) => $"{{\"$ref\": \"#/$defs/d{levels}\", \"$defs\": {{\"d0\": {{\"type\": \"integer\"}}, "
        + string.Join(", ",
        Enumerable.Range(1, levels).Select(i =>
            $"\"d{i}\": {{\"allOf\": [{{\"anyOf\": [{{\"$ref\": \"#/$defs/d{i - 1}\"}}, {{\"$ref\": \"#/$defs/d{i - 1}\"}}]}}, " +
            $"{{\"minimum\": {i}}}]}}")) + "}}";
}
