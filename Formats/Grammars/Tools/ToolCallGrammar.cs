using System.Text.Json;
using Quilt.Formats.Chat.Replies;
using Quilt.Formats.Grammars.Json;
using Quilt.Formats.Grammars.Tags;

namespace Quilt.Formats.Grammars.Tools;

/// <summary>
/// Calls of tools in a model's own form, with arguments that meet the tools' schemas: what the grammar takes, the dialect's parser reads as exactly
/// these calls.
/// </summary>
internal sealed class ToolCallGrammar
{
    // Line breaks that models put before a call, at most.
    private const int MaxLines = 2;

    private readonly string dialect;
    private readonly ToolCallOptions options;
    private readonly CallWords words;
    private readonly ToolTable table;
    private readonly List<(string Name, string Schema)> tools;
    private readonly Dictionary<string, GrammarNode> rules = new(StringComparer.Ordinal);

    private ToolCallGrammar(string dialect, JsonElement declared, ToolCallOptions options)
    {
        (this.dialect, this.options) = (dialect, options);
        words = new(ReplyParser.Create(dialect).Markers, options.Tokenizer);
        table = new ToolTable(declared);
        tools = Read(declared, options.Tool);
    }

    /// <summary>Makes the grammar.</summary>
    /// <exception cref="BadInputException">The dialect has no calls, there is no such tool, or a schema demands what cannot be held to.</exception>
    public static GrammarRules Read(string dialect, JsonElement tools, ToolCallOptions options)
    {
        var grammar = new ToolCallGrammar(dialect, tools, options);
        if (CallSyntaxes.Find(dialect) is not { } known)
            throw new BadInputException("dialect", dialect, "expected one that has a form for calls of tools");
        var forms = known.Forms.Select((form, i) => (Form: form, Call: grammar.Calls(form, i))).ToList();
        var lines = new Repeat(Nodes.Text("\n"), 0, MaxLines);
        var block = Nodes.OneOf([.. forms.Select(form => grammar.Block(form.Form, form.Call))]);
        var root = options.IsRequired ? Nodes.InOrder(dialect == "harmony" ? GrammarNode.Nothing : lines, block)
            : dialect == "llama3_json" ? Nodes.OneOf(block, TextOnly(known.Begins))
            : dialect == "harmony" ? grammar.Messages(block)
            : grammar.Among(block, known.Begins);
        return new(root, grammar.rules);
    }

    private static List<(string Name, string Schema)> Read(JsonElement declared, string? only)
    {
        var tools = new List<(string, string)>();
        foreach (var tool in declared.EnumerateArray())
        {
            if (tool.ValueKind != JsonValueKind.Object) continue;
            var function = tool.TryGetProperty("function", out var inner) && inner.ValueKind == JsonValueKind.Object ? inner : tool;
            if (!function.TryGetProperty("name", out var named) || named.ValueKind != JsonValueKind.String) continue;
            var name = named.GetString()!;
            if ((only is not null && name != only) || tools.Exists(known => known.Item1 == name)) continue;
            if (name.Length is 0 or > 256 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.'))
                throw new BadInputException("tools", name, "expected a name of letters, digits, _, - and .");
            var isGiven = function.TryGetProperty("parameters", out var parameters) && parameters.ValueKind != JsonValueKind.Null;
            tools.Add((name, isGiven ? parameters.GetRawText() : "{\"type\":\"object\",\"properties\":{}}"));
        }
        if (tools.Count == 0) throw new BadInputException("tools", only, only is null ? "expected a tool at least" : "expected a declared tool");
        return tools;
    }

    // A call of any of the tools.
    private GrammarNode Calls(CallSyntax form, int number)
    {
        var tokens = new JsonTokens(options.Json, form.Parameter is { } parameter ? TagValues.Inside(parameter) : null, finite: true);
        var calls = new List<GrammarNode>();
        foreach (var (name, schema) in tools)
        {
            try
            {
                calls.Add(Call(form, name, schema, tokens));
            }
            catch (BadInputException problem)
            {
                throw new BadInputException($"tool {name}", problem.Part, problem.Message, problem);
            }
        }
        var prefix = $"{number}: ";
        var renamed = new Notations.RenamedRules(prefix);
        foreach (var (rule, body) in tokens.Rules) rules[prefix + rule] = renamed.Of(body);
        return renamed.Of(Nodes.OneOf([.. calls]));
    }

    private GrammarNode Call(CallSyntax form, string name, string schema, JsonTokens tokens)
    {
        var document = new SchemaDocument(schema);
        var grammar = new SchemaGrammar(document, options.Json, tokens, name + ": ");
        var goal = Goal.Of(document.Root);
        var before = words.Of(form.Before, Nodes.Text(name));
        var after = words.Of(form.After);
        GrammarNode call;
        if (form.Parameter is { } parameter)
        {
            var rules = options.Arguments with { Edge = Edge, JsonWithoutSchema = dialect == "glm45" };
            var values = new TagValues(grammar, parameter, rules);
            call = Nodes.InOrder(before, grammar.Of(goal, new TagMembers(
                words, parameter, values, one => table.TypesOf(name, one), rules.WithoutSchema, after)));
        }
        else
        {
            call = Nodes.InOrder(before, tokens.OpenObject, grammar.Of(goal, new JsonMembers(grammar)), after);
        }
        grammar.Finish();
        if (Nodes.IsNever(call))
            throw new BadInputException(JsonSchemaReader.Origin, "#", "no object meets it, or none that can be written in this form");
        return call;
    }

    private ValueEdge Edge => dialect switch
    {
        "qwen3_coder" or "seed_oss" => ValueEdge.OneLineBreak,
        "glm45" => ValueEdge.Exact,
        _ => ValueEdge.Trimmed,
    };

    private GrammarNode Block(CallSyntax form, GrammarNode call)
    {
        var more = form.Between is { } between && options.IsParallel
            ? new Repeat(Nodes.InOrder(words.Of(between), call), 0, null)
            : GrammarNode.Nothing;
        var block = Nodes.InOrder(words.Of(form.Open), call, more, words.Of(form.Close));
        if (dialect == "llama3_json") return Nodes.InOrder(Nodes.Optional(words.Of("<|python_tag|>")), block);
        if (dialect != "harmony") return block;
        return Nodes.InOrder(Nodes.Optional(words.Of("<|start|>assistant")), block, Nodes.Optional(words.Of("<|call|>")));
    }

    // Text, and blocks of calls in it.
    private GrammarNode Among(GrammarNode block, string[] begins)
    {
        var text = FreeText.Without(begins);
        var more = Nodes.InOrder(block, text);
        return Nodes.InOrder(text, options.IsParallel ? new Repeat(more, 0, null) : Nodes.Optional(more));
    }

    // A reply that begins with an object is a call.
    private static GrammarNode TextOnly(string[] begins) => Nodes.Both(
        FreeText.Without(begins),
        new Not(Nodes.InOrder(new Repeat(Nodes.AnyOf(" \t\r\n\f\v"), 0, null), Nodes.Text("{"), Nodes.AnyText)));

    // Harmony's messages: the last may be a call.
    private GrammarNode Messages(GrammarNode call)
    {
        var text = FreeText.Without(["<|"]);
        var head = Nodes.InOrder(Nodes.Optional(words.Of("<|start|>assistant")), words.Of("<|channel|>"),
            Nodes.OneOf(Nodes.Text("analysis"), Nodes.Text("commentary"), Nodes.Text("final")), words.Of("<|message|>"), text);
        var message = Nodes.InOrder(head, words.Of("<|end|>"));
        var last = Nodes.InOrder(head, Nodes.Optional(Nodes.OneOf(words.Of("<|end|>"), words.Of("<|return|>"))));
        return Nodes.InOrder(new Repeat(message, 0, null), Nodes.OneOf(call, last));
    }
}
